"""The guard around imports of optional packages."""

from __future__ import annotations

import pickle
from importlib import import_module

import pytest

from rmz_async import MissingExtraError
from rmz_async._extras import extra


def test_a_missing_package_is_named_with_the_command_that_installs_it() -> None:
    """Python's own error is the cause."""
    with (
        pytest.raises(MissingExtraError) as caught,
        extra("flask", needed_by="the shop"),
    ):
        import_module("no_such_framework.routing")

    assert str(caught.value) == (
        'the shop needs no_such_framework, which is not installed: pip install "rmz[flask]"'
    )
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_the_name_of_the_package_travels() -> None:
    """A program can ask for it, in another process too."""
    with pytest.raises(ModuleNotFoundError) as caught, extra("flask", needed_by="the shop"):
        import_module("no_such_framework")

    assert pickle.loads(pickle.dumps(caught.value)).name == "no_such_framework"  # noqa: S301 - our own bytes


def test_the_extra_of_the_outer_guard_is_named() -> None:
    """An adapter that builds on another one has all it needs in its own extra."""
    with (
        pytest.raises(MissingExtraError, match=r'^FastAPI .* no_such_f\w+, .*"rmz\[fastapi\]"$'),
        extra("fastapi", needed_by="FastAPI"),
        extra("starlette", needed_by="Starlette"),
    ):
        import_module("no_such_framework")


@pytest.mark.parametrize(
    "fault",
    [
        ModuleNotFoundError("of this library", name="rmz_async.webhooks.forgotten"),
        ModuleNotFoundError("of Python, which was built without it", name="sqlite3"),
        ModuleNotFoundError("raised by hand"),
        ImportError("cannot import name 'forgotten'", name="rmz_async.webhooks"),
        ImportError("cannot import name 'of_a_newer_version'", name="flask"),
    ],
    ids=str,
)
def test_another_fault_of_an_import_stays_what_it_is(fault: ImportError) -> None:
    """No installation mends it."""
    with pytest.raises(type(fault)) as caught, extra("flask", needed_by="the shop"):
        raise fault

    assert caught.value is fault
