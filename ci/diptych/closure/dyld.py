"""The search of macOS's dyld (dyld(1); Apple, "Run-Path Dependent Libraries"; dyld4's ``Loader::getLoader``).

For each needed install name, in this order:

1. an image already in the process with that path, install name or earlier requested name;
2. the last component of the name in each folder of DYLD_LIBRARY_PATH;
3. the name itself: ``@rpath/…`` tries each LC_RPATH of the image that wants it, of the image that loaded that one, …,
   up to the main executable; ``@loader_path`` is the folder of the image whose load command (or LC_RPATH) says it,
   ``@executable_path`` that of the main executable;
4. a name under ``/usr/lib`` or ``/System`` is taken as provided: dyld's shared cache has it, no disk does;
5. the last component in each folder of DYLD_FALLBACK_LIBRARY_PATH (``/usr/local/lib``, ``/usr/lib`` unless set).

A universal file serves with the slice of the process's machine; a file without one is passed over. A weak dylib
may be missing. Needs are met breadth first.

Not simulated: frameworks' own variables, DYLD_INSERT_LIBRARIES, image suffixes, library validation, and the removal of
DYLD_* for protected programs.
"""

from __future__ import annotations

import posixpath
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from diptych.binaries import Binary
from diptych.closure.context import SearchContext
from diptych.closure.model import Closure, Found, Loaded, LoadedObject, Tried, counted
from diptych.errors import FormatError

_SYSTEM = ("/usr/lib/", "/System/")
_DEFAULT_FALLBACK = "/usr/local/lib:/usr/lib"
_COMPATIBLE = {"arm64e": ("arm64e", "arm64"), "x86_64h": ("x86_64h", "x86_64")}


@dataclass(kw_only=True, eq=False)
class DyldProcess:
    """A process as dyld sees it.

    Attributes:
        where: the world.
        main: the main executable, or the binary that stands for it.
        objects: all images, in order.
        attempts: how many places were looked at.
    """

    where: SearchContext
    main: LoadedObject
    objects: list[LoadedObject] = field(default_factory=list)
    attempts: int = 0

    def meet(self, start: LoadedObject) -> tuple[Loaded, ...]:
        """Load what an image needs, breadth first."""
        entries: list[Loaded] = []
        pending = deque([start])
        while pending:
            wanting = pending.popleft()
            for name in wanting.binary.needed:
                count = len(self.objects)
                entries.append(self._need(name, wanting))
                pending.extend(self.objects[count:])
        return tuple(entries)

    def add(self, path: str, name: str, binary: Binary, loader: LoadedObject | None) -> LoadedObject:
        """Put an image into the process."""
        added = image(path, binary, self.where, loader=loader)
        added.names.add(name)
        self.objects.append(added)
        return added

    def _need(self, name: str, wanting: LoadedObject) -> Loaded:
        optional = name in wanting.binary.weak_needed
        known = self._known(name)
        tried: list[Tried] = []
        if known is not None:
            path, binary, found_by = known.path, known.binary, Found.ALREADY_LOADED
            return _entry(name, path, binary, found_by, wanting=wanting, tried=tried, optional=optional)
        found, binary_found, found_by = self._search(name, wanting, tried)
        if found is not None and binary_found is not None:
            identity = self.where.files.identity(found)
            same = next((image for image in self.objects if image.identity == identity), None)
            if same is not None:
                same.names.add(name)
                found, found_by = same.path, Found.ALREADY_LOADED
            else:
                self.add(found, name, binary_found, wanting)
        return _entry(name, found, binary_found, found_by, wanting=wanting, tried=tried, optional=optional)

    def _known(self, name: str) -> LoadedObject | None:
        for known in self.objects:
            if name in known.names or name in {known.path, known.binary.soname}:
                return known
        return None

    def _search(
        self, name: str, wanting: LoadedObject, tried: list[Tried]
    ) -> tuple[str | None, Binary | None, Found]:
        for path, by in self._candidates(name, wanting):
            self.attempts = counted(self.attempts, wanting)
            binary, outcome = self._open(path)
            if binary is None and outcome == "absent" and path == name and name.startswith(_SYSTEM):
                return None, None, Found.SYSTEM
            tried.append(Tried(path=path, by=by, outcome=outcome))
            if binary is not None:
                return path, binary, by
        return None, None, Found.NOT_FOUND

    def _open(self, path: str) -> tuple[Binary | None, str]:
        """Return the slice that fits, and what became of the attempt; dyld goes on after any failure."""
        if self.where.files.identity(path) is None:
            return None, "absent"
        try:
            found = self.where.files.read(path)
        except FormatError as error:
            return None, error.summary
        fitting = pick_slice(found, self.main.binary.machine)
        if fitting is None:
            return None, f"of another machine ({', '.join(binary.machine for binary in found)})"
        if fitting.kind not in {"shared", "bundle"}:
            return None, f"of kind {fitting.kind}"
        return fitting, "found"

    def _candidates(self, name: str, wanting: LoadedObject) -> Iterator[tuple[str, Found]]:
        leaf = posixpath.basename(name)
        for folder in self._variable("DYLD_LIBRARY_PATH", ""):
            yield self._absolute(posixpath.join(folder, leaf)), Found.DYLD_LIBRARY_PATH
        if name.startswith("@rpath/"):
            rest = name.removeprefix("@rpath/")
            for folder in self._rpaths(wanting):
                yield posixpath.join(folder, rest), Found.RPATH
        else:
            yield self._placed(name, wanting), Found.PATH
        for folder in self._variable("DYLD_FALLBACK_LIBRARY_PATH", _DEFAULT_FALLBACK):
            yield self._absolute(posixpath.join(folder, leaf)), Found.DEFAULT

    def _rpaths(self, wanting: LoadedObject) -> Iterator[str]:
        """Yield the run paths of the chain of loaders, each seen from the image that states it."""
        owner: LoadedObject | None = wanting
        main_seen = False
        while owner is not None:
            main_seen = main_seen or owner is self.main
            for entry in owner.binary.rpath:
                yield self._placed(entry, owner).rstrip("/") or "/"
            owner = owner.loader
        if not main_seen:
            for entry in self.main.binary.rpath:
                yield self._placed(entry, self.main).rstrip("/") or "/"

    def _placed(self, path: str, owner: LoadedObject) -> str:
        for token, folder in (("@loader_path", owner.origin), ("@executable_path", self.main.origin)):
            if path == token or path.startswith(f"{token}/"):
                return folder + path.removeprefix(token)
        return self._absolute(path)

    def _variable(self, name: str, default: str) -> list[str]:
        return [folder for folder in self.where.environment.get(name, default).split(":") if folder]

    def _absolute(self, path: str) -> str:
        return posixpath.join(self.where.cwd, path)


def pick_slice(binaries: tuple[Binary, ...], machine: str) -> Binary | None:
    """Return the slice that a process of that machine would use."""
    for wanted in _COMPATIBLE.get(machine, (machine,)):
        for binary in binaries:
            if binary.format == "macho" and binary.machine == wanted:
                return binary
    return None


def image(path: str, binary: Binary, where: SearchContext, *, loader: LoadedObject | None) -> LoadedObject:
    """Return an image; dyld names it by its path without symbolic links, so that is its ``@loader_path``."""
    return LoadedObject(
        path=path,
        binary=binary,
        identity=where.files.identity(path),
        loader=loader,
        names=set(),
        origin=posixpath.dirname(where.files.real(path)),
    )


def dyld_closure(path: str, binary: Binary, where: SearchContext) -> Closure:
    """Return the closure of one slice of Mach-O.

    Raises:
        FormatError: ``where.executable`` cannot be read, or has no slice for the binary's machine.
    """
    if where.executable is None:
        main = image(path, binary, where, loader=None)
        return Closure(root=path, loaded=DyldProcess(where=where, main=main, objects=[main]).meet(main))
    executable = pick_slice(where.files.read(where.executable), binary.machine)
    if executable is None:
        raise FormatError(f'"{where.executable}" has no slice for {binary.machine}')
    main = image(where.executable, executable, where, loader=None)
    process = DyldProcess(where=where, main=main, objects=[main])
    before = process.meet(main)
    caller = next((known for known in process.objects if known.path == where.caller), main)
    added = process.add(path, path, binary, caller)
    return Closure(root=path, loaded=process.meet(added), before=before)


def _entry(
    name: str,
    path: str | None,
    binary: Binary | None,
    found_by: Found,
    *,
    wanting: LoadedObject,
    tried: list[Tried],
    optional: bool,
) -> Loaded:
    return Loaded(
        name=name,
        path=path,
        wanted_by=wanting.path,
        found_by=found_by,
        searched=tuple(tried),
        optional=optional,
        binary=binary,
    )
