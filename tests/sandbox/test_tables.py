from __future__ import annotations

import copy
import pickle

import attrs

from rmz_async.sandbox.store.table import WATCHED, Index, Row, Table


@attrs.define(kw_only=True, on_setattr=WATCHED)
class Pet(Row):
    name: str


def test_a_listener_hears_before_a_row_changes() -> None:
    """The listener hears of each row that comes, changes and goes, as it was before."""
    table: Table[int, Pet] = Table()
    heard: list[tuple[int, Pet | None]] = []
    table.listen(lambda key: heard.append((key, copy.copy(table.get(key)))))
    table[1] = Pet(name="Simba")
    table[1].name = "Nala"
    del table[1]
    assert heard == [(1, None), (1, Pet(name="Simba")), (1, Pet(name="Nala"))]


def test_only_the_row_in_the_table_is_heard_of() -> None:
    """A change of a copy is not noticed, and neither is one of a row that was replaced."""
    table = Table({1: Pet(name="Simba")})
    first = table[1]
    table[1] = Pet(name="Nala")
    heard: list[int] = []
    table.listen(heard.append)
    first.name = "a"
    copy.copy(table[1]).name = "b"
    copy.deepcopy(table[1]).name = "c"
    attrs.evolve(table[1]).name = "d"
    pickle.loads(pickle.dumps(table[1])).name = "e"  # noqa: S301 - written on this line
    assert heard == []


def test_nobody_hears_of_a_change_in_a_copied_table() -> None:
    """Neither in a copy nor in the table that was copied, the rows of the other one change."""
    table = Table({1: Pet(name="Simba")})
    heard: list[int] = []
    table.listen(heard.append)
    for copied in (copy.deepcopy(table), pickle.loads(pickle.dumps(table))):  # noqa: S301 - written on this line
        copied[1].name = "Nala"
        copied[2] = Pet(name="Kiara")
    assert table == {1: Pet(name="Simba")}
    assert heard == []


def test_a_table_is_a_mapping() -> None:
    """With all that a dict can, and a repr that shows its rows."""
    table = Table({2: "b", 1: "a"})
    assert table == {1: "a", 2: "b"}
    assert list(table) == [2, 1]
    assert table.ordered() == [1, 2]
    table[0] = "z"
    assert table.ordered() == [0, 1, 2]
    assert table.pop(9, None) is None
    assert table.pop(0) == "z"
    assert repr(table) == "Table({2: 'b', 1: 'a'})"


def test_an_overlay_leaves_the_table_alone() -> None:
    """Rows are replaced, added and hidden in the copy; the rows still belong to the original."""
    table = Table({1: Pet(name="Simba"), 2: Pet(name="Nala")})
    heard: list[int] = []
    table.listen(heard.append)
    seen = table.overlay({1: Pet(name="Kitty"), 2: None, 3: Pet(name="Rex"), 4: None})
    assert {key: row.name for key, row in seen.items()} == {1: "Kitty", 3: "Rex"}
    assert {key: row.name for key, row in table.items()} == {1: "Simba", 2: "Nala"}
    assert heard == []
    table[1].name = "Simba II"
    assert heard == [1]


def test_an_index_follows_every_change() -> None:
    """A row is found by what it is called now, and by nothing once it is gone or has no name."""
    table = Table({1: Pet(name="Simba"), 2: Pet(name="Nala")})
    index = Index(table, lambda pet: pet.name or None)
    assert index.find("Simba") == {1}
    table[2].name = "Simba"
    table[3] = Pet(name="Nala")
    assert index.find("Simba") == {1, 2}
    assert index.find("Nala") == {3}
    del table[1]
    table[2].name = ""
    assert index.find("Simba") == set()
    assert index.find("") == set()
    index.find("Nala").clear()
    assert index.find("Nala") == {3}
