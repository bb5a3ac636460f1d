"""The reference: every field of what users read is described on the field, and shown."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

import attrs
import pytest

import rmz_async
from rmz_async import Model, models, observing, paywall, webhooks
from rmz_async.webhooks.inbox import interface
from tests.docs.pages import ROOT

READ = {
    f"{module.__name__}.{name}": kind
    for module in (rmz_async, observing, paywall, webhooks, interface)
    for name in module.__all__
    if isinstance(kind := getattr(module, name), type) and attrs.has(kind)
}
# Users make these, and editors show the arguments of the class.
MADE = {"Lifetimes", "Pacing", "Policy", "QuotaReport", "RetryPolicy"}
SHOWN = (ROOT / "docs" / "reference.rst").read_text(encoding="utf-8")


def undescribed(kind: type) -> Iterator[str]:
    """Name each field of a class that no docstring follows."""
    (tree,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(tree, ast.ClassDef)
    for field, following in zip(tree.body, [*tree.body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            described = isinstance(following, ast.Expr) and isinstance(
                following.value, ast.Constant
            )
            if field.target.id[0] != "_" and not described:
                yield field.target.id


@pytest.mark.parametrize("name", sorted(READ))
def test_each_field_is_described_where_an_editor_looks(name: str) -> None:
    if READ[name].__name__ not in MADE:
        assert list(undescribed(READ[name])) == []


@pytest.mark.parametrize("name", [name for name in models.__all__ if name != "Model"])
def test_the_reference_shows_the_fields_of_each_model(name: str) -> None:
    kind = getattr(models, name)
    if isinstance(kind, type) and issubclass(kind, Model):
        assert f".. autoclass:: rmz_async.{name}\n   :members:\n" in SHOWN
