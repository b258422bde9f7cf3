"""Requests to the local channel: conda's match specifications, translated into requirements for pip."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from diptych.channel import names
from diptych.errors import ChannelError, nearest
from diptych.specs import conda_name, renamed

# How a package gets into a host environment that the local channel cannot make it for.
BY_HAND = (
    'name a channel that has it and can be reached: channels = ["conda-forge"]; or put a file of it into the local '
    "channel: `diptych channel --add FILE.conda` (or FILE.whl)"
)


@dataclass(frozen=True, kw_only=True)
class Request:
    """One package asked for.

    Attributes:
        name: its conda name.
        versions: which versions, as PEP 440 specifiers; empty for any.
    """

    name: str
    versions: str


def parse(specs: Iterable[str], *, added: Mapping[str, Sequence[str]] | None = None) -> list[Request]:
    """Read conda match specifications, leaving out what is always there and virtual packages.

    Args:
        specs: the specifications.
        added: what is in the channel by a person's hand, with its requirements: these are asked for in its place.

    Raises:
        ChannelError: a specification cannot be read, or names what this channel cannot make.
    """
    import rattler  # noqa: PLC0415 -- 50 ms, and a listing never needs it

    found: list[Request] = []
    pending, own = list(specs), dict(added or {})
    for spec in pending:  # grows while it is read
        try:
            match = rattler.MatchSpec(spec)
            name = match.name.normalized
        except Exception as error:  # bindings of Rust: beside InvalidMatchSpecError any other for bad values
            raise ChannelError(f'cannot read the package "{spec}": {error}') from error
        if (
            name in names.FROM_INTERPRETER | names.FROM_MACHINE
            or name.startswith("__")
            or (added and name in added)
        ):
            pending += own.pop(name, ())
            continue
        _check(name)
        found.append(Request(name=name, versions=to_pep440(match.version or "")))
    return found


def _check(name: str) -> None:
    known = [*names.CUT, *names.FROM_INTERPRETER, *renamed(), "numpy", "pip", "pytest"]
    if name in names.CUT:
        return
    if names.never_on_pypi(name):
        raise ChannelError(
            f'the local channel cannot make "{name}"{nearest(name, known)}',
            details=["tried: nothing, PyPI has no project that brings it"],
            hint=BY_HAND,
        )
    if (conda := conda_name(names.pypi_name(name))) != name:
        raise ChannelError(
            f'"{name}" is called "{conda}" on conda-forge', hint=f'write "{conda}" in the table'
        )


def to_pep440(version: str) -> str:
    """Translate conda's version range into PEP 440 specifiers, for pip to choose by.

    What PEP 440 cannot say (alternatives with ``|``) becomes "any": the solver still judges by conda's rules.
    """
    parts = [part.strip() for part in version.split(",")]
    translated = [_pep440_part(part) for part in parts if part and part != "*"]
    try:
        return str(SpecifierSet(",".join(part for part in translated if part)))
    except InvalidSpecifier:
        return ""


def _pep440_part(part: str) -> str:
    found = re.fullmatch(r"(==|!=|>=|<=|~=|=|>|<)?\s*([^\s|]+?)(\.?\*)?", part)
    if found is None:
        return part
    operator, number, star = found.groups()
    if operator in (None, "="):
        return f"=={number}.*" if star or operator == "=" else f"=={number}"
    return f"{operator}{number}.*" if star and operator in ("==", "!=") else f"{operator}{number}"
