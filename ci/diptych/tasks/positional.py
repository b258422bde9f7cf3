"""Tasks that take any number of positional arguments: ``diptych doctor a.whl b.so``.

Invoke binds a fixed number of positional arguments. So the number is counted on the command line before it parses, which
works for ``diptych`` and for ``invoke`` alike. Everything behind such a task is its own: no other task can follow.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from invoke.parser.argument import Argument
from invoke.tasks import Task


class PositionalWords(Argument):
    """A positional argument that takes ``expected`` words; none makes it optional."""

    expected = 0

    @property
    def value(self) -> Any:  # noqa: ANN401 -- as in the base class
        """The words, or None while some are still to come: that is how invoke's parser sees what is missing."""
        return None if len(self._value or ()) < self.expected else self._value or []

    @value.setter
    def value(self, word: str) -> None:
        self._value = [*(self._value or ()), word]
        self.raw_value = word


class PositionalTask(Task[Callable[..., Any]]):
    """A task whose parameter ``words`` takes all bare words behind its name."""

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:  # noqa: FBT001 -- invoke's signature
        """Return the arguments, with as many words as the command line has."""
        arguments: list[Argument] = super().get_arguments(ignore_unknown_help=ignore_unknown_help)
        valued = {flag for one in arguments if one.takes_value for flag in _flags(one)}
        count = bare_words(sys.argv[1:], self.name, valued)
        plain = [one for one in arguments if one.name != "words"]
        words = PositionalWords(name="words", help=next(one.help for one in arguments if one.name == "words"))
        words.expected = count
        words.positional = count > 0
        words.raw_value, words._value = None, []  # noqa: SLF001 -- our own subclass
        return [words, *plain]


def _flags(argument: Argument) -> set[str]:
    names = {argument.names[0].replace("_", "-"), *argument.names}
    return {f"-{name}" if len(name) == 1 else f"--{name}" for name in names}


def bare_words(argv: Sequence[str], task: str, valued: set[str]) -> int:
    """Count the words behind a task's name that are neither flags nor their values.

    Args:
        argv: the command line without the program.
        task: the task's name.
        valued: the flags that take a value.
    """
    count, skip = 0, False
    for word in argv[argv.index(task) + 1 :] if task in argv else ():
        if skip:
            skip = False
        elif word in valued:
            skip = True
        elif word == "--":
            break
        elif not word.startswith("-") or word == "-":
            count += 1
    return count
