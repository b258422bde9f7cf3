"""Which member names and link targets are safe, and what a set of members must satisfy together.

Rules: PEP 427 and CEP 34 want relative POSIX paths below the root. APPNOTE.TXT 4.4.17 says the same of zip. The
rest is what archives have been used for: leaving the root by ``..``, by a drive letter or through a link.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from diptych.archives.limits import Guard
from diptych.archives.member import Member

_DRIVE = re.compile(r"[A-Za-z]:")
# Nearly every name is of this form, and so passes all of the faults at once: a large wheel has tens of thousands.
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+~-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.+~-]*)*")
_FAULTS = (
    (re.compile(r"\Z"), "the name is empty"),
    (re.compile(r"/"), "the name is absolute"),
    (_DRIVE, "drive letter in the name"),
    (re.compile(r".*\\"), "backslash in the name"),
    (re.compile(r"(?:.*/)?\.\.(?:/|\Z)"), 'the name leaves the archive by ".."'),
    (re.compile(r"(?:.*/)?\.?(?:/|\Z)"), 'empty or "." part in the name'),
)
_MAX_PART = 255  # NAME_MAX of every file system in use
_MAX_HOPS = 40  # as Linux: beyond it open(2) gives ELOOP
# Resolving is quadratic in hostile hands (links through links); no package comes near.
_MAX_STEPS = 2_000_000


def check_text(name: str, guard: Guard) -> None:
    """Refuse names that no terminal, JSON file or other system can hold: control characters, no UTF-8."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise guard.refuse("the name is not UTF-8", name) from None
    if size > guard.limits.max_name:
        raise guard.refuse(f"the name is longer than {guard.limits.max_name} bytes", name)
    if not name.isprintable() and any(unicodedata.category(char) == "Cc" for char in name):
        raise guard.refuse("control character in the name", name)


def check_name(name: str, guard: Guard) -> None:
    """Refuse a member name that is not a plain relative POSIX path.

    Raises:
        FormatError: naming the first rule that the name breaks.
    """
    check_text(name, guard)
    if not _PLAIN.fullmatch(name):
        for fault, cause in _FAULTS:
            if fault.match(name):
                raise guard.refuse(cause, name)
    parts = name.split("/")
    if len(parts) - 1 > guard.limits.max_depth:
        raise guard.refuse(f"more than {guard.limits.max_depth} folders deep", name)
    if len(name) > _MAX_PART and any(len(part.encode()) > _MAX_PART for part in parts):
        raise guard.refuse(f"a part of the name is longer than {_MAX_PART} bytes", name)


def settle(found: Sequence[Member], guard: Guard) -> tuple[Member, ...]:
    """Check members against each other and return them sorted by name.

    Args:
        found: all members in archive order, each with a name that passed :func:`check_name`.
        guard: limits and the archive's name.

    Raises:
        FormatError: two members of one name, a member below something that is no folder, a link that leaves the
            root or runs in circles, a hard link to nothing.
    """
    guard.check_count(len(found))
    if sum(len(member.name) + len(member.link or "") for member in found) > guard.limits.max_names:
        raise guard.refuse(f"the names take more than {guard.limits.max_names} bytes")
    _check_duplicates([member.name for member in found], guard)
    links = {member.name: member.link for member in found if member.link is not None and not member.hard}
    _check_links(links, guard)
    return tuple(sorted(_with_hard_links(found, guard), key=lambda member: member.name))


def collisions(names: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Group names that are one file where case or Unicode normalisation does not count (macOS, Windows)."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        # The order of Unicode's canonical caseless match (Unicode Standard, D145).
        key = name.lower() if name.isascii() else _caseless(name)
        groups[key].append(name)
    return tuple(tuple(sorted(group)) for _, group in sorted(groups.items()) if len(group) > 1)


def _caseless(name: str) -> str:
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())


def _check_duplicates(names: Sequence[str], guard: Guard) -> None:
    known = set(names)
    if len(known) != len(names):
        twice = [name for name, count in Counter(names).items() if count > 1]
        raise guard.refuse("the name occurs more than once", min(twice))
    checked = ""
    for name in sorted(names):
        folder = name.rpartition("/")[0]
        if folder == checked:
            continue
        checked = parent = folder
        while parent:
            if parent in known:
                raise guard.refuse(f'lies below "{parent}", which is not a folder', name)
            parent = parent.rpartition("/")[0]


def _check_links(links: Mapping[str, str], guard: Guard) -> None:
    steps = 0
    for name, target in links.items():
        check_text(target, guard)
        steps += _follow(name, links, guard)
        if steps > _MAX_STEPS:
            raise guard.refuse("its links lead through each other too often")


def _follow(name: str, links: Mapping[str, str], guard: Guard) -> int:
    """Walk a link as the kernel would, one part at a time, and return the steps taken.

    Normalising the text is not enough: in ``a -> b/../c`` the ``..`` is taken where the link ``b`` leads.
    """
    here: list[str] = name.split("/")[:-1]
    pending = _reversed_parts(links[name], name, guard)
    hops = steps = 0
    while pending:
        part = pending.pop()
        steps += 1
        if part == "..":
            if not here:
                raise guard.refuse(f'the link to "{links[name]}" leaves the archive', name)
            here.pop()
        elif part not in ("", "."):
            here.append(part)
            if (further := links.get("/".join(here))) is not None:
                hops += 1
                if hops > _MAX_HOPS:
                    raise guard.refuse("the link runs in a circle", name)
                here.pop()
                pending += _reversed_parts(further, name, guard)
    return steps


def _reversed_parts(target: str, name: str, guard: Guard) -> list[str]:
    if not target or target.startswith("/") or "\\" in target or _DRIVE.match(target):
        raise guard.refuse(f'the link to "{target}" leaves the archive', name)
    return target.split("/")[::-1]


def _with_hard_links(found: Sequence[Member], guard: Guard) -> list[Member]:
    """Give hard links the size of their file; it has to come first, as tar(5) says."""
    files: dict[str, int] = {}
    settled = []
    for member in found:
        if not member.hard:
            if member.link is None:
                files[member.name] = member.size
            settled.append(member)
            continue
        if member.link not in files:
            raise guard.refuse(f'hard link to "{member.link}", which is no file before it', member.name)
        settled.append(replace(member, size=files[member.link]))
    return settled
