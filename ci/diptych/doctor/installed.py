"""The members of a package as a file system, each at the place where it will be installed."""

from __future__ import annotations

import posixpath
from collections.abc import Hashable, Iterable, Mapping

from diptych.binaries import Binary
from diptych.errors import FormatError

_MAX_LINKS = 16


class InstalledFiles:
    """Binaries that were read already, at their final places, with the package's symbolic links.

    Args:
        binaries: path → what was read there.
        links: path → where it leads (relative to its folder, or absolute).
        others: further files, which make folders exist.
    """

    def __init__(
        self, binaries: Mapping[str, tuple[Binary, ...]], links: Mapping[str, str], others: Iterable[str]
    ) -> None:
        self._binaries = binaries
        self._links = links
        self._folders = {"/"}
        for path in (*binaries, *links, *others):
            folder = posixpath.dirname(path)
            while folder not in self._folders:
                self._folders.add(folder)
                folder = posixpath.dirname(folder)

    def identity(self, path: str) -> Hashable | None:
        """Return the real path of a binary."""
        real = self.real(path)
        return real if real in self._binaries else None

    def is_folder(self, path: str) -> bool:
        """Tell whether some member is below that path."""
        return self.real(path) in self._folders

    def real(self, path: str) -> str:
        """Return the path without links; ``..`` is taken textually, no package links folders above others."""
        place = posixpath.normpath(path)
        for _ in range(_MAX_LINKS):
            step = self._one_step(place)
            if step == place:
                break
            place = step
        return place

    def read(self, path: str) -> tuple[Binary, ...]:
        """Return what was read.

        Raises:
            FormatError: there is no binary.
        """
        found = self._binaries.get(self.real(path))
        if found is None:
            raise FormatError(f'"{path}" is not there')
        return found

    def _one_step(self, place: str) -> str:
        if not self._links or place in self._binaries:
            return place
        part = place
        while part != "/":
            if part in self._links:
                target = posixpath.join(posixpath.dirname(part), self._links[part])
                return posixpath.normpath(target + place[len(part) :])
            part = posixpath.dirname(part)
        return place
