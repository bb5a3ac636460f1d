"""The sandbox without its extra."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from rmz_async import MissingExtraError
from rmz_async.sandbox._extra import NEEDED, check

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_library_is_an_error_that_names_the_extra(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message has the command that installs it."""
    monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(MissingExtraError, match=r'pip install "rmz\[sandbox\]"') as caught:
        check()

    assert caught.value.name == name


def test_the_import_of_the_sandbox_checks_its_extra() -> None:
    """Before anything of it is imported, which would fail with a riddle."""
    code = "import sys; sys.modules['starlette'] = None; import rmz_async.sandbox"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert 'the sandbox needs its extra: pip install "rmz[sandbox]"' in done.stderr


def test_all_libraries_of_the_extra_are_checked() -> None:
    """A library that is added to the extra is added to the check."""
    extras = tomllib.loads(PROJECT.read_text("utf-8"))["project"]["optional-dependencies"]
    declared = {re.split(r"[><=\[; ]", line)[0] for line in extras["sandbox"]}
    providers = packages_distributions()

    assert {name.lower() for module in NEEDED for name in providers[module]} >= declared
    assert len(NEEDED) == len(declared)
