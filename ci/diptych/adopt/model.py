"""What a repository's files were found to say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["cmake", "pkg-config", "library", "pypi", "conda", "external"]


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where something was read.

    Attributes:
        file: relative to the repository.
        line: from 1, where it is known.
        key: the dotted path in a TOML or YAML file.
    """

    file: str
    line: int | None = None
    key: str = ""

    def __str__(self) -> str:
        line = f":{self.line}" if self.line else ""
        return f"{self.file}{line}{' ' if self.key else ''}{self.key}"


@dataclass(frozen=True, kw_only=True)
class Need:
    """Something that is compiled against, under the name that the build files give it.

    Attributes:
        kind: whose name it is: a CMake package, a pkg-config module, what follows ``-l``, a PyPI project, a conda match
            spec, or a PEP 725 identifier.
        name: the name.
        components: the components of a CMake package.
        required: the build files say that it must be there.
        origin: where.
    """

    kind: Kind
    name: str
    components: tuple[str, ...] = ()
    required: bool = True
    origin: Origin

    def __str__(self) -> str:
        words = {
            "cmake": f"find_package({self.name})",
            "pkg-config": f"pkg-config module {self.name}",
            "library": f"-l{self.name}",
        }
        return words.get(self.kind, self.name)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A value that one key of our table takes over: a string, or one entry of a list or a table."""

    key: str
    value: str
    origin: Origin


@dataclass(frozen=True, kw_only=True)
class Untold:
    """Something that was read and not taken over, or could not be told, in words for a person."""

    text: str
    origin: Origin


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one reader found.

    Attributes:
        needs: what is compiled against.
        settings: values for keys of the table, in the order of the file.
        untold: what was left, and why.
        compiled: what shows that something is compiled here.
    """

    needs: tuple[Need, ...] = ()
    settings: tuple[Setting, ...] = ()
    untold: tuple[Untold, ...] = ()
    compiled: tuple[Origin, ...] = ()

    def of(self, key: str) -> tuple[Setting, ...]:
        """Return the values for one key."""
        return tuple(one for one in self.settings if one.key == key)


def joined(readings: Iterable[Reading]) -> Reading:
    """Return one reading that has everything of several, in their order."""
    every = list(readings)
    return Reading(
        needs=tuple(need for one in every for need in one.needs),
        settings=tuple(setting for one in every for setting in one.settings),
        untold=tuple(untold for one in every for untold in one.untold),
        compiled=tuple(origin for one in every for origin in one.compiled),
    )
