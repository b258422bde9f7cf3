"""The ``diptych`` command as invoke reads it: a command line that it cannot read is an error like any other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from invoke.exceptions import Exit, ParseError
from invoke.program import Program

from diptych.errors import ConfigError, nearest
from diptych.tasks.surface import process_output


class Command(Program):
    """Invoke's program, but for its words and its exit code 1, which is that of findings."""

    def parse_core(self, argv: list[str] | None) -> None:
        """Read the options before the task."""
        with _told(argv or []):
            super().parse_core(argv)

    def parse_tasks(self) -> None:
        """Read the task and its options."""
        with _told(self.argv):
            super().parse_tasks()


@contextmanager
def _told(argv: Sequence[str]) -> Iterator[None]:
    try:
        yield
    except ParseError as error:
        told = _error(argv, error)
        process_output().error(told)
        raise Exit(code=told.exit_code) from error


def _error(argv: Sequence[str], error: ParseError) -> ConfigError:
    """Say which word it is: invoke names the one after an option that it takes for a file."""
    context = error.context
    task = (context.name if context else None) or ""
    command = f"diptych {task}".rstrip()
    hint = f"`{command} --help` lists what there is" if task else "`diptych --list` has all tasks"
    known = [*context.flags, *context.inverse_flags] if context else []
    options = [
        word.partition("=")[0] if word.startswith("--") else word[:2]
        for word in argv[1:]
        if word.startswith("-") and word != "-"
    ]
    if unknown := next((word for word in options if word not in known), None) if task else None:
        return ConfigError(f'`{command}` has no option "{unknown}"{nearest(unknown, known)}', hint=hint)
    if lacking := re.fullmatch(r"Flag <Argument: ([\w-]+).*> needed value .*", str(error)):
        return ConfigError(f"`{command}`: --{lacking[1]} needs a value", hint=hint)
    return ConfigError(f"`{command}`: {str(error).rstrip('!')}", hint=hint)
