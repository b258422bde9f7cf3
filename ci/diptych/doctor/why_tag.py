"""The reason for a wheel's tag: policy → symbol version → symbol → object, and the tag without each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diptych.doctor.gather import gather
from diptych.errors import FormatError
from diptych.policy import Family, Level, manylinux, musllinux
from diptych.policy.tables import tag_machine, version_key
from diptych.rules import Evidence, Item
from diptych.rules.platform_tags import uses
from diptych.rules.resolution import is_expected


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One symbol version, or one library, that asks for a policy.

    Attributes:
        level: the lowest policy that admits it; None: none does.
        what: the symbol version, or ``library libfoo.so.1``.
        users: symbol → the objects that want it; of a library the key is empty.
    """

    level: Level | None
    what: str
    users: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class WhyTag:
    """The tag of a wheel, explained.

    Attributes:
        wheel: as the person named it.
        tags: what it says.
        lowest: what its contents ask for; None: no policy fits.
        floor: the oldest policy there is for the machine.
        reasons: the highest first; those that ask for the floor alone are left out.
        without: what would remain → by leaving out each level, highest first.
    """

    wheel: str
    tags: tuple[str, ...]
    lowest: Level | None
    floor: Level
    reasons: tuple[Reason, ...]

    @property
    def steps(self) -> tuple[tuple[Level | None, Level], ...]:
        """Each level that is asked for, with what the tag would be without its reasons."""
        levels = list(dict.fromkeys(reason.level for reason in self.reasons))
        return tuple(
            (level, next(filter(None, levels[at:]), self.floor)) for at, level in enumerate(levels, 1)
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "schema": "diptych.why-tag/1",
            "wheel": self.wheel,
            "tags": list(self.tags),
            "lowest": str(self.lowest) if self.lowest else None,
            "policies": manylinux().date,
            "levels": [
                {
                    "policy": str(level) if level else None,
                    "without": str(without),
                    "reasons": [
                        {
                            "what": one.what,
                            "symbols": {name: list(places) for name, places in one.users.items()},
                        }
                        for one in self.reasons
                        if one.level == level
                    ],
                }
                for level, without in self.steps
            ],
        }


def why_tag(path: Path, *, shown: str) -> WhyTag:
    """Explain the tag of a wheel.

    Raises:
        FormatError: it is no wheel, holds no ELF file, or is damaged.
    """
    evidence = gather(
        path, shown=shown, host=None, wanted=lambda machine, version: manylinux().regulated(version, machine)
    )
    return explain_tag(evidence)


def explain_tag(evidence: Evidence) -> WhyTag:
    """Explain the tag that some evidence asks for; its version uses must name all symbols.

    Raises:
        FormatError: nothing in it has a manylinux tag.
    """
    if evidence.kind != "wheel" or not evidence.elf:
        raise FormatError(
            f'"{evidence.target}" has no manylinux tag to explain: '
            + ("it is no wheel" if evidence.kind != "wheel" else "no ELF file in it")
        )
    policies = _policies(evidence)
    known = [policies.machines.get(tag_machine(item.binary.machine)) for item in evidence.elf]
    floor = max((level for level in known if level), default=policies.levels[-1])
    reasons = sorted(
        (one for one in _reasons(evidence, policies) if one.level is None or one.level > floor),
        key=_order,
        reverse=True,
    )
    lowest = reasons[0].level if reasons else floor
    return WhyTag(
        wheel=evidence.target,
        tags=tuple(tag.text for tag in evidence.platforms),
        lowest=lowest,
        floor=floor,
        reasons=tuple(reasons),
    )


def _order(reason: Reason) -> tuple[tuple[int, int], bool, tuple[str, tuple[int, ...]]]:
    version = reason.level.version if reason.level else (999, 999)
    return version, not reason.what.startswith("library"), version_key(reason.what)


def _policies(evidence: Evidence) -> Family:
    """Return the policies that the tag speaks of; a wheel without one is taken for glibc's, as most are."""
    return musllinux() if evidence.families == {"musllinux"} else manylinux()


def _reasons(evidence: Evidence, policies: Family) -> Iterator[Reason]:
    found: dict[tuple[Level | None, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for item in evidence.elf:
        for use in uses(evidence, item):
            if policies is musllinux() and use.version.startswith("ZLIB_"):
                continue  # musllinux expects libz on every system and counts no versions of it
            level = policies.lowest(use.version, item.binary.machine)
            for symbol in use.symbols or ("",):
                found[level, use.version][symbol].append(item.label)
        for level, name in _libraries(evidence, item, policies):
            found[level, f"library {name}"][""].append(item.label)
    for (level, what), users in found.items():
        yield Reason(
            level=level, what=what, users={name: tuple(dict.fromkeys(p)) for name, p in sorted(users.items())}
        )


def _libraries(evidence: Evidence, item: Item, policies: Family) -> Iterator[tuple[Level | None, str]]:
    """Yield the needed libraries that are neither in the wheel nor expected everywhere."""
    for name in item.binary.needed:
        if evidence.own_library(name) is None:
            level = policies.lowest_for_library(name)
            if level is not None or not is_expected(name, item, evidence):
                yield level, name
