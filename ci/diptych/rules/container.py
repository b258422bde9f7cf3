"""What a container says about itself, gathered before any rule runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Placeholder:
    """A build prefix that info/paths.json registers for a file, and what is really there.

    Attributes:
        place: the member.
        prefix: the registered text.
        mode: ``text`` or ``binary``.
        elf: whether the file is an ELF or Mach-O binary.
        present: whether the file holds that text.
    """

    place: str
    prefix: str
    mode: str
    elf: bool
    present: bool


@dataclass(frozen=True, kw_only=True)
class ContainerFacts:
    """The outside of a package.

    Attributes:
        filename: name of the file on disk.
        dist_info: a wheel's metadata folder.
        metadata: METADATA's header fields, lower-case name → values.
        wheel: WHEEL's fields likewise.
        faults: cause → what does not fit between the record (RECORD, paths.json) and the contents.
        placeholders: what paths.json registers.
        unregistered: files that hold a build prefix that nothing registers, with the prefix.
    """

    filename: str
    dist_info: str = ""
    metadata: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    wheel: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    faults: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    placeholders: tuple[Placeholder, ...] = ()
    unregistered: tuple[tuple[str, str], ...] = ()
