"""``diptych init``: adopt a repository."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from diptych.errors import ConfigError
from diptych.matrix import detect_platform
from diptych.output import Output
from diptych.tasks.surface import process_output, surface

if TYPE_CHECKING:
    from invoke.context import Context

    from diptych.adopt.adoption import Adoption


@surface(
    builds=True,
    help={
        "yes": "write without asking",
        "dry-run": "only show the change",
        "json": "print the change as JSON; it is written with --yes only",
        "recipe": "leave conda/meta.yaml, converted, as recipe.yaml beside it; nothing else",
    },
)
def init(
    _context: Context,
    yes: bool = False,  # noqa: FBT001, FBT002 -- an invoke flag
    dry_run: bool = False,  # noqa: FBT001, FBT002 -- as above
    json: bool = False,  # noqa: FBT001, FBT002 -- as above
    recipe: bool = False,  # noqa: FBT001, FBT002 -- as above
) -> None:
    """Adopt this repository: show the table, noxfile and ignored files that it needs, ask, write."""
    from diptych.adopt.adoption import adopt, convert_recipe  # noqa: PLC0415 -- not for --list
    from diptych.adopt.apply import apply  # noqa: PLC0415 -- as above

    if yes and dry_run:
        raise ConfigError("--yes writes and --dry-run does not", hint="give one of them")
    root = Path.cwd()
    make = convert_recipe if recipe else adopt
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    adoption = make(root, platform=detect_platform(sys.platform, platform.machine()), here=here)
    output = process_output()
    if not json:
        _show(adoption, root, output)
    wanted = bool(adoption.edits) and not dry_run
    written = wanted and (yes or (not json and _asked(output)))
    if written:
        apply(adoption.edits)
    if json:
        output.json(adoption.to_json(written=written))
    elif written:
        names = ", ".join(edit.path.relative_to(root).as_posix() for edit in adoption.edits)
        output.line(f"written: {names}")
        output.line(f"next: {adoption.command}")
    elif adoption.edits:
        output.line("nothing was written" + ("" if dry_run else "; the answer was no"))
        output.line("next: diptych init --yes")


def _show(adoption: Adoption, root: Path, output: Output) -> None:
    from diptych.adopt.show import show_diff, show_sources  # noqa: PLC0415 -- as above

    for note in adoption.notes:
        output.note(note)
    if not adoption.edits:
        output.line("nothing to change: this repository is adopted")
        output.line(f"next: {adoption.command}")
        return
    show_diff(adoption.edits, root, output)
    if adoption.plan is not None:
        show_sources(adoption.plan, output)


def _asked(output: Output) -> bool:
    """Ask whether to write.

    Raises:
        ConfigError: nobody is there to answer.
    """
    if not sys.stdin.isatty():
        raise ConfigError(
            "nothing was written: there is no terminal to ask at",
            hint="add --yes to write, or --dry-run to look",
        )
    output.line("Write this? [y/N] ", style="bold")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
