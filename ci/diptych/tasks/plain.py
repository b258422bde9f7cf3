"""A plain command line of a task that takes words, read without invoke, whose import takes as long as a small wheel.

Plain means: whole long options, each value where it belongs, and words. All else, every fault and ``--help`` among it, is left
to invoke. Which options there are is known from the same function that invoke makes a task of, and
tests/unit/test_plain.py holds both readers to one answer.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence

from diptych.tasks.surface import task_options


def plain_arguments(function: Callable[..., None], words: Sequence[str]) -> dict[str, object] | None:
    """Return the arguments of a task, or None where its command line is not plain.

    Args:
        function: what ``surface`` made.
        words: what stands behind the task's name.
    """
    _, *parameters = inspect.signature(function).parameters.values()
    if not any(one.name == "words" for one in parameters):
        return None
    several = {"words", *task_options(function).get("iterable", ())}
    found = {one.name: [] if one.name in several else one.default for one in parameters}
    flags = {_flag(one.name): one.name for one in parameters if one.name != "words"}
    rest, given = iter(words), set()
    for word in rest:
        flag, has_value, value = word.partition("=")
        name = flags.get(flag)
        if not word.startswith("-"):
            found["words"].append(word)
        elif name is None or name in given:
            return None
        elif found[name] is False and not has_value:
            found[name] = True
            given.add(name)
        elif isinstance(found[name], str | list):
            value = value if has_value else next(rest, "")
            if not value or (value.startswith("-") and value != "-"):
                return None
            if name in several:
                found[name].append(value)
            else:
                found[name] = value
                given.add(name)
        else:
            return None
    return found


def _flag(parameter: str) -> str:
    return "--" + parameter.strip("_").replace("_", "-")
