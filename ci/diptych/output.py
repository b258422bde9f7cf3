"""The one place that prints.

Steps are a line each with their duration, tables go through rich, errors are shown with their evidence and the
next step. ``NO_COLOR``, a missing terminal and ``CI`` are honoured; on GitHub Actions an error is also an
annotation.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diptych.annotations import Level, Place, annotation
from diptych.errors import DiptychError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_PLAIN_WIDTH = 80
_TEXT_COLUMN = 31


@dataclass(kw_only=True)
class Output:
    """Where a run's words go.

    Attributes:
        env: the process environment, for NO_COLOR, FORCE_COLOR, CI, COLUMNS and GITHUB_ACTIONS.
        aside: tell everything on standard error; standard output is left to JSON or Markdown.
    """

    env: Mapping[str, str]
    aside: bool = False
    _consoles: dict[bool, Console] = field(default_factory=dict)
    _ended: list[tuple[str, ...]] = field(default_factory=list)

    def console(self, *, stderr: bool = False) -> Console:
        """Return the rich console of a stream, made at first use (a listing never needs it)."""
        stderr = stderr or self.aside
        if stderr not in self._consoles:
            from rich.console import Console  # noqa: PLC0415 -- see the docstring

            stream = sys.stderr if stderr else sys.stdout
            width = None if stream.isatty() or "COLUMNS" in self.env else _PLAIN_WIDTH
            self._consoles[stderr] = Console(
                file=stream, width=width, highlight=False, soft_wrap=False, _environ=self.env
            )
        return self._consoles[stderr]

    def line(self, text: str = "", *, style: str | None = None) -> None:
        """Print one line of running text, as it is."""
        stream = sys.stderr if self.aside else sys.stdout
        if stream.isatty() or "FORCE_COLOR" in self.env or self._consoles:
            self.console().print(text, style=style, markup=False, soft_wrap=True)
        else:  # into a pipe or a file: the same without rich, which takes 50 ms to import
            stream.write(f"{text}\n")

    def note(self, text: str) -> None:
        """Print something a person should know but need not act on."""
        self.line(f"  note: {text}", style="yellow")

    def show(self, renderable: RenderableType) -> None:
        """Print a rich table, tree or panel."""
        self.console().print(renderable)

    def json(self, value: Any) -> None:  # noqa: ANN401 -- any JSON value
        """Print machine output: JSON, never coloured or wrapped."""
        sys.stdout.write(json.dumps(value, indent=2, sort_keys=False, default=str) + "\n")

    def raw(self, text: str) -> None:
        """Print text for a pipe, byte for byte."""
        sys.stdout.write(text)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Time a step and print its line when it ends; a failing step says so and lets the error pass."""
        started = time.monotonic()
        step = Step()
        try:
            with self._status(name, step):
                yield step
        except BaseException:
            self._step_line("✗", name, "failed", time.monotonic() - started, "red")
            raise
        mark, style = ("·", "dim") if step.kept else ("✓", "green")
        self._step_line(mark, name, step.text, time.monotonic() - started, style)
        for more in step.more:
            self.line(f"{'':<{_TEXT_COLUMN}}{more}", style="dim")

    @contextmanager
    def _status(self, name: str, step: Step) -> Iterator[None]:
        """Show a moving line while a step runs, where somebody watches."""
        console = self.console()
        if not console.is_terminal or self.env.get("CI"):
            yield
            return
        with console.status(f"{name} …") as status:
            step.show = lambda text: status.update(f"{name}: {text}")
            yield

    def _step_line(self, mark: str, name: str, text: str, seconds: float, style: str) -> None:
        self._ended.append((mark, name, f"{seconds:.2f}", text))
        from rich.text import Text  # noqa: PLC0415 -- as in console()

        if not _speaks_unicode():
            mark = {"✓": "+", "·": ".", "✗": "x"}[mark]
        line = Text.assemble((f"  {mark} ", style), f"{name:<16}", (f"{seconds:7.2f} s  ", "dim"), text)
        self.console().print(line, soft_wrap=True)

    def summary(self, markdown: str) -> None:
        """Add to the summary of a GitHub job, where there is one; other steps of the job write there too."""
        if path := self.env.get("GITHUB_STEP_SUMMARY"):
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(markdown)

    def summarise_steps(self, title: str) -> None:
        """Add the steps that have ended to the summary of a GitHub job: their times, and what came out."""
        rows = ["| | step | s | |", "| --- | --- | ---: | --- |"]
        cells = ([cell.replace("|", "\\|") for cell in row] for row in self._ended)
        rows += [f"| {' | '.join(row)} |" for row in cells]
        self.summary("\n".join([f"## {title}", "", *rows, "", ""]))

    def error(self, error: DiptychError) -> None:
        """Show an error: what failed, the evidence, the next step. The only place that does."""
        from rich.text import Text  # noqa: PLC0415 -- as in console()

        console = self.console(stderr=True)
        console.print(Text.assemble(("error: ", "bold red"), error.summary), soft_wrap=True)
        for line in error.details:
            console.print(Text(f"  {line}"), soft_wrap=True)
        if error.hint:
            arrow = "→" if _speaks_unicode() else "->"
            console.print(Text.assemble((f"  {arrow} ", "bold"), error.hint), soft_wrap=True)
        self.annotate(
            "error", "\n".join([error.summary, *error.details, error.hint]).strip(), place=error.place
        )

    def annotate(self, level: Level, message: str, *, title: str = "", place: Place | None = None) -> None:
        """Say something beside the change on GitHub Actions; elsewhere nothing, as it is told in words too."""
        if self.env.get("GITHUB_ACTIONS") == "true":
            root = Path(self.env.get("GITHUB_WORKSPACE", "/"))
            line = annotation(level, message, title=title, place=place, root=root)
            self.console(stderr=True).print(line, markup=False, soft_wrap=True)


@dataclass
class Step:
    """A running step: what its maker may say of it.

    Attributes:
        text: what came out.
        more: what is worth lines of their own.
        kept: it was done before.
        show: moves the line of a running step, on a terminal.
    """

    text: str = ""
    more: tuple[str, ...] = ()
    kept: bool = False
    show: Callable[[str], None] = lambda _: None

    def progress(self, text: str) -> None:
        """Say what a long step is doing; seen on a terminal only, until the step's own line replaces it."""
        self.show(text)


def _speaks_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")


def human_size(count: int) -> str:
    """Write a number of bytes for a person, in powers of 1000 as package indexes do."""
    size = float(count)
    for unit in ("B", "kB", "MB"):
        if size < 1000:  # noqa: PLR2004 -- the unit step
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def human_time(seconds: float) -> str:
    """Write a duration for a person, with three digits that mean something."""
    if seconds >= 1:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"  # noqa: PLR2004 -- three digits
    millis = seconds * 1000
    return f"{millis:.0f} ms" if millis >= 10 else f"{millis:.2f} ms"  # noqa: PLR2004 -- as above


def many(count: int, what: str, plural: str = "") -> str:
    """Write a number of things for a person: "1 file", "2 files"."""
    return f"{count} {what if count == 1 else plural or what + 's'}"
