"""Any number of words behind a task, for ``diptych`` and ``invoke`` alike."""

from __future__ import annotations

import sys

import pytest
from invoke.parser import Parser

from diptych.tasks import namespace
from diptych.tasks.positional import bare_words

VALUED = {"--select", "-s", "--log", "-l"}


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("doctor", 0),
        ("doctor --env", 0),
        ("doctor a.whl", 1),
        ("doctor a.whl b.so c", 3),
        ("doctor a.whl --json b.so", 2),
        ("doctor --select DIP1 a.whl", 1),
        ("doctor --select=DIP1 a.whl", 1),
        ("doctor a.whl --log -", 1),
        ("-c tasks doctor a.whl", 1),
        ("clean", 0),
        ("doctor doctor", 1),
    ],
)
def test_counting(line: str, count: int) -> None:
    assert bare_words(line.split(), "doctor", VALUED) == count


def parsed(line: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    monkeypatch.setattr(sys, "argv", ["diptych", *line.split()])
    (context,) = Parser(contexts=namespace.to_contexts()).parse_argv(line.split())
    kwargs: dict[str, object] = context.as_kwargs
    return kwargs


def test_words_arrive_in_order_between_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    found = parsed("doctor a.whl --json b.so --select DIP1 --select DIP2 c.so", monkeypatch)
    assert found["words"] == ["a.whl", "b.so", "c.so"]
    assert found["json"] is True
    assert found["select"] == ["DIP1", "DIP2"]


def test_no_words(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parsed("doctor --env", monkeypatch)["words"] == []


def test_a_word_may_be_named_like_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parsed("doctor clean matrix", monkeypatch)["words"] == ["clean", "matrix"]


def test_other_tasks_with_words(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parsed("why-tag a.whl b.whl", monkeypatch)["words"] == ["a.whl", "b.whl"]
    assert parsed("explain DIP101", monkeypatch)["words"] == ["DIP101"]
