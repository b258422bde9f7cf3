"""What a container says about itself, gathered before any rule runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class BuildPrefix:
    """A prefix of the build machine in a file of a conda package.

    Attributes:
        place: the member.
        text: the prefix: as info/paths.json registers it, else as the file holds it.
        mode: ``text`` or ``binary``, as registered.
        registered: info/paths.json knows of it.
        present: the file holds it.
        binary: the file is an ELF or Mach-O binary.
        shebang: the file is a script that names its interpreter.
    """

    place: str
    text: str
    mode: str
    registered: bool
    present: bool
    binary: bool
    shebang: bool


@dataclass(frozen=True, kw_only=True)
class ContainerFacts:
    """The outside of a package.

    Attributes:
        filename: name of the file on disk.
        dist_info: a wheel's metadata folder.
        metadata: METADATA's header fields, lower-case name → values.
        wheel: WHEEL's fields likewise.
        entry_points: entry_points.txt of a wheel.
        faults: cause → what does not fit between the record (RECORD, paths.json) and the contents.
        unreadable: parts of the metadata that cannot be read, with the reason.
        prefixes: build prefixes, registered and not.
        index: a conda package's info/index.json.
    """

    filename: str
    dist_info: str = ""
    metadata: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    wheel: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    entry_points: str = ""
    faults: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unreadable: tuple[str, ...] = ()
    prefixes: tuple[BuildPrefix, ...] = ()
    index: Mapping[str, Any] = field(default_factory=dict, repr=False)
