"""The commands by name; each module is imported when its command is used."""

from __future__ import annotations

from rmz_async._extras import extra
from rmz_async._version import __version__
from rmz_async.cli._help import HelpInLanguage

with extra("cli", needed_by="The command rmz"):
    from cyclopts import App, Parameter

_HELP = """Look into a store of RMZ, and change its subscriptions.

The token is read from RMZ_API_TOKEN, or from the file that RMZ_API_TOKEN_FILE names, which only
its owner may read. RMZ_BASE_URL leads to another address, for example to a sandbox.
RMZ_WEBHOOK_SECRETS has the secrets of your webhooks, with a comma between two.

Exit codes: 0 done, 1 failed or refused, 2 wrong command line, 3 cannot say, 4 outcome unknown,
130 interrupted.
"""

_COMMANDS = {
    "access": (
        "rmz_async.cli._access:access",
        "Say whether a user has access, why, and until when.",
    ),
    "doctor": (
        "rmz_async.cli._doctor:doctor",
        "Check that everything is ready for customers; nothing in the store is changed.",
    ),
    "listen": (
        "rmz_async.cli._listen:listen",
        "Print each delivery that arrives at this machine, until Ctrl-C.",
    ),
    "subscriptions": ("rmz_async.cli._subscriptions:application", "Read and change subscriptions."),
    "orders": ("rmz_async.cli._reading:orders", "Read orders."),
    "plans": ("rmz_async.cli._reading:plans", "List the plans of the store, by name and id."),
    "webhooks": (
        "rmz_async.cli._webhooks:application",
        "Look into an inbox, and run events again.",
    ),
    "products": ("rmz_async.cli._reading:products", "Read products."),
}


def application() -> App:
    """Return the command ``rmz`` with all its commands."""
    app = App(
        name="rmz",
        help=_HELP,
        help_format="markdown",
        help_formatter=HelpInLanguage(),
        # A switch that is off has no need of a word to switch it off.
        default_parameter=Parameter(negative=()),
        version=__version__,
        result_action="return_value",
        suppress_keyboard_interrupt=False,
    )
    for name, (place, about) in _COMMANDS.items():
        app.command(place, name=name, help=about)
    app.command(
        "rmz_async.cli._sandbox:sandbox",
        name="sandbox",
        help="Serve a local RMZ, or ask one that runs.",
        # The command itself reads all that follows, --help too.
        help_flags=(),
        version_flags=(),
    )
    # cyclopts leaves the type of its further arguments open.
    app.register_install_completion_command()  # pyright: ignore[reportUnknownMemberType]
    return app
