"""The one exception root, a subclass for each kind of failure, and its exit code.

Library code raises; only a surface (``sessions``, ``tasks``) turns an error into text and an exit code,
through :func:`diptych.output.show_error`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import ClassVar

from diptych.annotations import Place


class DiptychError(Exception):
    """Root of everything Diptych raises on purpose.

    Args:
        summary: one sentence: what failed, with the file and the offending value in quotes.
        details: further lines of evidence, each shown on a line of its own.
        hint: the next step for the person who reads it.
        place: the file that it is about, and the line if that is known.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self, summary: str, *, details: Sequence[str] = (), hint: str = "", place: Place | None = None
    ) -> None:
        super().__init__(summary)
        self.summary = summary
        self.details = tuple(details)
        self.hint = hint
        self.place = place

    def __str__(self) -> str:
        lines = [self.summary, *(f"  {line}" for line in self.details)]
        if self.hint:
            lines.append(f"  -> {self.hint}")
        return "\n".join(lines)


class ConfigError(DiptychError):
    """The table, or a name given on the command line, is wrong."""

    exit_code = 3


class MissingToolError(DiptychError):
    """A compiler, an interpreter or a tool that the work needs is not on this machine."""

    exit_code = 4


class ChannelError(DiptychError):
    """A channel cannot be reached, or what it holds is not what it says."""

    exit_code = 5


class HostEnvironmentError(DiptychError):
    """A host environment cannot be solved, made or trusted."""

    exit_code = 6


class CompileError(DiptychError):
    """Configuring, compiling or installing the extension failed."""

    exit_code = 7


class TestsFailedError(DiptychError):
    """The project's own tests failed, in source or against an installed package."""

    exit_code = 8
    __test__ = False  # pytest would collect the name


class LinkageError(DiptychError):
    """Something is linked or loaded that must not be."""

    exit_code = 9


class RelinkError(DiptychError):
    """A relink plan contradicts itself, or a tool did not do what the plan says."""

    exit_code = 10


class PackageError(DiptychError):
    """A wheel or conda package could not be made or installed."""

    exit_code = 11


class CompareError(DiptychError):
    """Wheel and conda package do not hold the same code."""

    exit_code = 12


class FormatError(DiptychError):
    """A binary or an archive is damaged, hostile or of an unknown kind."""

    exit_code = 13


class StoreError(DiptychError):
    """A file could not be written or read back: disk full, permissions, a lock."""

    exit_code = 14


class UnsupportedError(DiptychError):
    """Diptych does not work on this platform, or with this version, yet."""

    exit_code = 15


class ProcessError(DiptychError):
    """A command that had to succeed did not; the caller usually raises its own kind from it.

    Args:
        timed_out: it took longer than it may, and was ended.
    """

    exit_code = 16

    def __init__(self, summary: str, *, details: Sequence[str] = (), timed_out: bool = False) -> None:
        super().__init__(summary, details=details)
        self.timed_out = timed_out


class ReleaseError(DiptychError):
    """Something must not be released as it is, or an index or a channel did not take it."""

    exit_code = 17


class SystemFaultError(DiptychError):
    """The operating system refused something that is no fault of the disk: a file is gone, a connection was refused."""

    exit_code = 18


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean "x"?`` for the known name most like ``name``, or an empty string."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f'; did you mean "{found[0]}"?' if found else ""
