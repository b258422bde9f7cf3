"""A plain command line is read without invoke: both readers give one answer, and what is not plain is invoke's."""

from __future__ import annotations

import sys

import pytest
from invoke.parser import Parser

from diptych.tasks import namespace
from diptych.tasks.compare import compare
from diptych.tasks.doctor import doctor
from diptych.tasks.explain import explain
from diptych.tasks.plain import plain_arguments
from diptych.tasks.plan import plan
from diptych.tasks.why_tag import why_tag

TASKS = {
    "doctor": doctor,
    "why-tag": why_tag,
    "compare": compare,
    "explain": explain,
}


@pytest.mark.parametrize(
    "line",
    [
        "doctor",
        "doctor a.whl",
        "doctor a.whl b.so doctor plan",
        "doctor --json a.whl --sarif",
        "doctor a.whl --select DIP1 --select=DIP2,DIP3 b.so --ignore DIP503",
        "doctor a.whl --with b.whl --with c.whl",
        "doctor a.whl --fail-on never",
        "doctor a.whl --fail-on=drift",
        "doctor --log - a.whl",
        "doctor --log=- a.whl",
        "doctor --env",
        "doctor a.whl --log=a=b.txt",
        "why-tag a.whl b.whl --json",
        "why-tag --gcc 13.2 --machine aarch64",
        "compare a.whl b.conda --one-build --html=page.html",
        "compare --into env a.whl --json",
        "explain DIP101 LOG307",
        "explain",
    ],
)
def test_both_readers_agree(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = line.split()
    monkeypatch.setattr(sys, "argv", ["diptych", *words])
    (context,) = Parser(contexts=namespace.to_contexts()).parse_argv(words)
    assert plain_arguments(TASKS[words[0]], words[1:]) == dict(context.as_kwargs)


@pytest.mark.parametrize(
    "words",
    [
        "a.whl --help",
        "-h",
        "-j a.whl",
        "a.whl --jsn",
        "a.whl --json=yes",
        "a.whl --log",
        "a.whl --log --json",
        "a.whl --log=",
        "a.whl --json --json",
        "a.whl --log x --log y",
        "-- a.whl",
        "-",
    ],
)
def test_the_rest_is_for_invoke(words: str) -> None:
    assert plain_arguments(doctor, words.split()) is None


def test_a_task_without_words_is_for_invoke() -> None:
    assert plain_arguments(plan, ["--json"]) is None
