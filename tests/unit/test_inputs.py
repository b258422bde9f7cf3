"""The inputs of a stage: the key, and why a result was made again."""

from pathlib import Path

import pytest

from diptych.inputs import Change, Inputs, history, made_once
from diptych.store import Store


def make(empty: Path) -> None:
    (empty / "result").write_text("made")


def inputs(**values: object) -> Inputs:
    return Inputs(stage="wheel", values=values)


@pytest.mark.parametrize(
    ("before", "now", "equal"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": {1, 2}}, {"a": {2, 1}}, True),
        ({"a": {"x": "1"}}, {"a": {"x": "2"}}, False),
        ({"a": {"x": "1"}}, {"a": {"y": "1"}}, False),
        ({"a": ("x", "y")}, {"a": ("y", "x")}, False),
        ({"a": ("x", "y")}, {"a": ("x, y",)}, False),
        ({"a": None}, {"a": ""}, False),
    ],
)
def test_the_key_is_of_every_value(before: dict[str, object], now: dict[str, object], *, equal: bool) -> None:
    assert (inputs(**before).key == inputs(**now).key) is equal


def test_two_stages_with_the_same_values_have_two_keys() -> None:
    assert inputs(a=1).key != Inputs(stage="conda", values={"a": 1}).key


def test_why_a_stage_was_made(tmp_path: Path) -> None:
    store = Store(root=tmp_path)
    assert history(store, "3.11-gcc") == ()
    assert made_once(store, "3.11-gcc", inputs(sources={"a.c": "1", "b.c": "1"}, flags=("-O2",)), make)[1]
    (first,) = history(store, "3.11-gcc")
    assert (first.first, first.gone, first.changes) == (True, False, ())

    edited = inputs(sources={"a.c": "2", "c.c": "1"}, flags=("-O2", "-g"))
    assert made_once(store, "3.11-gcc", edited, make)[1]
    changes = (
        Change(name="flags", before="-O2", now="-O2, -g"),
        Change(name="sources a.c", before="1", now="2"),
        Change(name="sources b.c", before="1", now=""),
        Change(name="sources c.c", before="", now="1"),
    )
    assert history(store, "3.11-gcc")[0].changes == changes
    # A run that finds everything done leaves the answer as it was.
    folder, made = made_once(store, "3.11-gcc", edited, make)
    assert not made
    assert history(store, "3.11-gcc")[0].changes == changes

    (folder / "result").unlink()
    assert made_once(store, "3.11-gcc", edited, make)[1]
    assert history(store, "3.11-gcc")[0].gone


def test_what_fails_has_its_reason_too(tmp_path: Path) -> None:
    def fail(_: Path) -> None:
        raise ValueError

    store = Store(root=tmp_path)
    made_once(store, "3.11-gcc", inputs(a=1), make)
    with pytest.raises(ValueError):  # noqa: PT011 -- the kind is not what is tested
        made_once(store, "3.11-gcc", inputs(a=2), fail)
    assert history(store, "3.11-gcc")[0].changes == (Change(name="a", before="1", now="2"),)


def test_a_damaged_note_is_no_note(tmp_path: Path) -> None:
    store = Store(root=tmp_path)
    made_once(store, "3.11-gcc", inputs(a=1), make)
    (tmp_path / "inputs/3.11-gcc/wheel.json").write_text('{"now": [], "before": 3')
    (one,) = history(store, "3.11-gcc")
    assert one.first
    assert not made_once(store, "3.11-gcc", inputs(a=1), make)[1]
