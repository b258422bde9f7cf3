"""``diptych relink``: change load commands of files by hand, by plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from diptych.errors import ConfigError
from diptych.output import Output
from diptych.tasks.surface import process_env, process_output, surface

if TYPE_CHECKING:
    from invoke.context import Context

    from diptych.relink.command import ManualPlan


@surface(
    help={
        "words": "the files, or folders of binaries",
        "for": "conda or wheel: the one word is a tree laid out as site-packages, planned as the pipeline does",
        "prefix": "the environment whose lib/ has the needed libraries",
        "paths": "relative (survives a move together) or absolute (the file may lie anywhere)",
        "drop-unused": "remove needed libraries of which no symbol is used (ELF)",
        "libpython": "drop: remove libpython from the needed libraries (ELF)",
        "python": "a Python's prefix, whose libpython shall stand in for the one that the file names",
        "out": "write relinked copies into this folder",
        "in-place": "replace the files, atomically",
        "dry-run": "only show the plan",
        "json": "print the plan as JSON",
    },
)
def relink(  # noqa: PLR0913, PLR0917 -- invoke makes a flag of each parameter
    _context: Context,
    words: list[str],
    for_: str = "",
    prefix: str = "",
    paths: str = "relative",
    drop_unused: bool = False,  # noqa: FBT001, FBT002 -- an invoke flag
    libpython: str = "",
    python: str = "",
    out: str = "",
    in_place: bool = False,  # noqa: FBT001, FBT002 -- as above
    dry_run: bool = False,  # noqa: FBT001, FBT002 -- as above
    json: bool = False,  # noqa: FBT001, FBT002 -- as above
) -> None:
    """Plan and apply changes of needed libraries and run paths; code is never touched."""
    from diptych.relink.command import apply_plans, plan_files, plan_tree  # noqa: PLC0415 -- not for --list
    from diptych.relink.manual import RelinkRequest  # noqa: PLC0415 -- as above

    _check_choices(("--for", for_, ("", "conda", "wheel")), ("--libpython", libpython, ("", "drop")))
    if paths not in {"relative", "absolute"}:
        raise ConfigError(f'--paths "{paths}" is not known', hint="it is relative or absolute")
    if not (dry_run or out or in_place):
        raise ConfigError(
            "nothing says where the result goes", hint="add --out FOLDER, --in-place or --dry-run"
        )
    if not words:
        raise ConfigError("nothing to relink", hint="diptych relink FILE… --prefix ENVIRONMENT --dry-run")
    home, target = (Path(one).absolute() if one else None for one in (prefix, out))
    if for_:
        if len(words) > 1:
            raise ConfigError("--for takes one tree", hint="relink trees one after another")
        plans = plan_tree(Path(words[0]).absolute(), for_, home, out=target)
    else:
        request = RelinkRequest(
            prefix=home,
            paths="absolute" if paths == "absolute" else "relative",
            drop_unused=drop_unused,
            drop_libpython=libpython == "drop",
            python=Path(python).absolute() if python else None,
        )
        plans = plan_files([Path(one).absolute() for one in words], request, out=target)
    output = process_output()
    if json:
        output.json([plan.to_json() for plan in plans])
    else:
        _show(plans, output)
    if not dry_run:
        written = apply_plans(plans, env=process_env())
        if not json:
            output.line(f"relinked {len(written)} of {len(plans)} files; a journal lies beside each")


def _check_choices(*choices: tuple[str, str, tuple[str, ...]]) -> None:
    for option, value, known in choices:
        if value not in known:
            raise ConfigError(
                f'{option} "{value}" is not known', hint=f"it is {' or '.join(filter(None, known))}"
            )


def _show(plans: tuple[ManualPlan, ...], output: Output) -> None:
    for one in plans:
        output.line(str(one.path), style="bold")
        plan = one.plan
        lines = [
            *(f"drop needed    {name}" for name in plan.drop),
            *(f"rename needed  {old} -> {new}" for old, new in plan.rename),
            *([f"run path       {':'.join(plan.rpath) or '(removed)'}"] if plan.rpath is not None else []),
            *([f"identity       {plan.identity}"] if plan.identity else []),
        ]
        lines = lines or ["nothing to do"]
        lines += [f"still missing  {name}" for name in one.missing]
        for line in lines:
            output.line(f"  {line}")
        for reason in plan.reasons:
            output.line(f"    because {reason}", style="dim")
