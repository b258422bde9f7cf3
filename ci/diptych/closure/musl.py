"""The search of musl's loader, where it differs from glibc's (musl ``ldso/dynlink.c``: ``load_library``, ``fixup_rpath``).

1. an empty name is an error; ``libc.``, ``libm.``, ``libpthread.``, ``libdl.``, ``librt.``, ``libutil.``, ``libxnet.`` are musl itself;
2. a name with a slash is a path; else an object that a *search* for that name has loaded: SONAMEs are not compared, so
   what was opened by its path does not meet a later need of its name;
3. LD_LIBRARY_PATH;
4. DT_RUNPATH, or without it DT_RPATH, of the object that wants it, of its loader, …, and of the program: both are inherited;
5. the loader's own folders. There is no cache.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from diptych.closure.glibc import GlibcProcess
from diptych.closure.model import Found, LoadedObject

_ITSELF = re.compile(r"lib(c|pthread|rt|m|dl|util|xnet)\.")
_FOLDERS = ("/lib", "/usr/local/lib", "/usr/lib")


class MuslProcess(GlibcProcess):
    """A process as musl's loader sees it."""

    def _known(self, name: str) -> LoadedObject | None:
        if _ITSELF.match(name):
            return next((known for known in self.objects if known.path == self.loader_path), None)
        if "/" in name:
            return None
        return next((known for known in self.objects if known is not self.main and name in known.names), None)

    def _candidates(self, name: str, wanting: LoadedObject) -> Iterator[tuple[str, Found]]:
        if not name:
            return
        if "/" in name:
            yield self._absolute(name), Found.PATH
            return
        for folder, by in self._folders(wanting):
            yield f"{self._absolute(folder)}/{name}", by
        chosen = self.where.default_folders
        for folder in _FOLDERS if chosen is None else chosen:
            yield f"{folder}/{name}", Found.DEFAULT

    def _folders(self, wanting: LoadedObject) -> Iterator[tuple[str, Found]]:
        variable = tuple(re.split("[:\n]", self.where.environment.get("LD_LIBRARY_PATH", "")))
        yield from ((folder, Found.LD_LIBRARY_PATH) for folder in self._entries(variable, self.main))
        for owner in self._chain(wanting):
            by = Found.RUNPATH if owner.binary.runpath else Found.RPATH
            path = owner.binary.runpath or owner.binary.rpath
            yield from ((folder, by) for folder in self._entries(path, owner))
