"""Platform tags of wheels: ``manylinux_2_28_x86_64``, ``manylinux2014_aarch64``, ``macosx_11_0_universal2``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from diptych.policy.tables import Level, table_of

_LINUX = re.compile(r"(manylinux|musllinux)_(\d+)_(\d+)_(\w+)")
_LEGACY = re.compile(r"(manylinux(?:1|2010|2014))_(\w+)")
_MACOS = re.compile(r"macosx_(\d+)_(\d+)_(\w+)")
_SLICES = {
    "universal2": ("arm64", "x86_64"),
    "universal": ("i386", "x86_64"),
    "intel": ("i386", "x86_64"),
    "fat32": ("i386", "ppc"),
    "fat64": ("x86_64", "ppc64"),
}
_MACHINES = {"i686": "i386", "armv7l": "arm", "armv6l": "arm"}


@dataclass(frozen=True, kw_only=True)
class PlatformTag:
    """One platform tag, taken apart.

    Attributes:
        text: the tag.
        system: ``linux``, ``macosx``, ``any``, or ``other``.
        machines: names as in :attr:`diptych.binaries.Binary.machine` that the tag promises.
        level: the policy (Linux).
        min_os: the oldest macOS.
    """

    text: str
    system: str
    machines: tuple[str, ...] = ()
    level: Level | None = None
    min_os: tuple[int, int] | None = None

    @property
    def bare(self) -> bool:
        """Whether it is ``linux_…``: this machine's own kind, promising nothing about others."""
        return self.system == "linux" and self.level is None


def platform_tag(text: str) -> PlatformTag:
    """Take a platform tag apart; PEP 425, 513, 571, 599, 600, 656."""
    if match := _LINUX.fullmatch(text):
        level = Level(family=match[1], version=(int(match[2]), int(match[3])))
        return PlatformTag(text=text, system="linux", machines=_machines(match[4]), level=level)
    if match := _LEGACY.fullmatch(text):
        table = table_of("manylinux")
        level = table.aliases[match[1]] if table else Level(version=(2, 17))
        return PlatformTag(text=text, system="linux", machines=_machines(match[2]), level=level)
    if match := _MACOS.fullmatch(text):
        slices = _SLICES.get(match[3], (match[3],))
        return PlatformTag(text=text, system="macosx", machines=slices, min_os=(int(match[1]), int(match[2])))
    if text.startswith("linux_"):
        return PlatformTag(text=text, system="linux", machines=_machines(text.removeprefix("linux_")))
    return PlatformTag(text=text, system="any" if text == "any" else "other")


def _machines(name: str) -> tuple[str, ...]:
    return (_MACHINES.get(name, name),)
