"""``diptych why-tag``: the reason for a wheel's tag, or what a compiler would bring."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from diptych.errors import ConfigError
from diptych.output import Output
from diptych.tasks.surface import process_output, surface

if TYPE_CHECKING:
    from invoke.context import Context


@surface(
    name="why-tag",
    help={
        "words": "wheels",
        "gcc": "before compiling: what this version of gcc can bring at worst, like 13 or 13.2",
        "machine": "with --gcc: the machine of the tag (default: x86_64)",
        "json": "print JSON",
    },
)
def why_tag(
    _context: Context,
    words: list[str],
    gcc: str = "",
    machine: str = "x86_64",
    json: bool = False,  # noqa: FBT001, FBT002 -- an invoke flag
) -> None:
    """Show why a wheel has its tag: policy, symbol version, symbol, object; and the tag without each."""
    output = process_output()
    if gcc:
        _forecast(gcc, machine, output, as_json=json)
    elif not words:
        raise ConfigError("no wheel given", hint="diptych why-tag WHEEL, or --gcc 15 before compiling")
    from diptych.doctor.why_tag import why_tag as reasons  # noqa: PLC0415 -- a listing needs no policies
    from diptych.doctor.why_tag_text import why_tag_lines  # noqa: PLC0415 -- as above

    found = [reasons((Path.cwd() / word), shown=word) for word in words]
    if json and words:
        output.json([one.to_json() for one in found] if len(found) > 1 else found[0].to_json())
        return
    for one in found:
        for line in why_tag_lines(one):
            output.line(line.text, style=line.style or None)


def _forecast(gcc: str, machine: str, output: Output, *, as_json: bool) -> None:
    from diptych.policy import forecast  # noqa: PLC0415 -- as above

    found = forecast(gcc, machine=machine)
    if found is None:
        raise ConfigError(
            f'gcc "{gcc}" is not in the table', hint="a version such as 13 or 13.2, from 4.8 on"
        )
    if as_json:
        output.json(
            {
                "gcc": gcc,
                "symbol_version": found.symbol_version,
                "abi_version": found.abi_version,
                "policy": str(found.level) if found.level else None,
                "known": found.known,
            }
        )
    else:
        output.line(found.sentence)
