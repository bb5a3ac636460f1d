"""Names that are imported when somebody asks for them."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import rmz_async
from rmz_async import models

PACKAGES = pytest.mark.parametrize("package", [rmz_async, models], ids=lambda one: one.__name__)


def in_a_new_process(code: str) -> str:
    """Run *code* where nothing is imported yet; return what it prints."""
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout


def test_the_import_brings_no_model() -> None:
    """They come with the first client, or with the first name of theirs that is asked for."""
    code = (
        "import sys, rmz_async\n"
        "print([name for name in sys.modules if name.startswith("
        "('rmz_async.models.', 'rmz_async.resources', 'rmz_async.webhooks'))])"
    )
    shown = in_a_new_process(code)
    assert shown == "['rmz_async.models._wire_names', 'rmz_async.models._model']\n"


def test_a_model_brings_those_that_it_needs_only() -> None:
    """Who asks for a subscription does not wait for orders."""
    code = (
        "import sys, rmz_async; rmz_async.Subscription\n"
        "print('rmz_async.models.subscriptions' in sys.modules,"
        " 'rmz_async.models.orders' in sys.modules)"
    )
    assert in_a_new_process(code) == "True False\n"


@PACKAGES
def test_every_name_can_be_asked_for_first(package: Any) -> None:
    """None depends on another one that was imported before."""
    for name in ("Subscription", "Transaction", "CreatedOrder"):
        assert in_a_new_process(f"from {package.__name__} import {name}; print({name})")


def test_the_webhooks_can_be_asked_for_first() -> None:
    """They are a package of their own, and an attribute of this one."""
    code = "import rmz_async; print(rmz_async.webhooks.verify.__name__, rmz_async.Event.__name__)"
    assert in_a_new_process(code) == "verify Event\n"


def test_what_is_shown_for_completion() -> None:
    """The public names, and nothing that the package's own imports have brought in."""
    shown = {name for name in dir(rmz_async) if not name.startswith("_")}

    assert shown >= set(rmz_async.__all__) - {"__version__"}
    assert not shown & {"annotations", "lazily", "TYPE_CHECKING"}


@PACKAGES
def test_a_name_that_is_not_there(package: Any) -> None:
    """It is missed as it is missed in any module."""
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'Nix'"):
        _ = package.Nix


@PACKAGES
def test_a_name_is_looked_up_once(package: Any) -> None:
    """After that it is an attribute like any other."""
    found = package.Subscription
    assert vars(package)["Subscription"] is found


@PACKAGES
def test_what_an_editor_is_told(package: Any) -> None:
    """All names, those that nobody has asked for yet too."""
    code = f"import {package.__name__} as package; print(set(package.__all__) - set(dir(package)))"
    assert in_a_new_process(code) == "set()\n"
