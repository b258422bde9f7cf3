"""The search of glibc's loader, step by step (ld.so(8); glibc ``elf/dl-load.c`` and ``elf/dl-deps.c``).

For each needed name, in this order:

1. an object already in the process whose SONAME, path or earlier requested name is that name;
2. a name with a slash is a path; else
3. DT_RPATH of the object that wants it, of its loader, that one's loader, …, and of the executable: only if
   the wanting object has no DT_RUNPATH; and an object with a DT_RUNPATH has its own DT_RPATH ignored;
4. LD_LIBRARY_PATH;
5. DT_RUNPATH of the wanting object;
6. ld.so.cache; 7. the default folders (neither for an object linked with ``-z nodeflib``).

A candidate of another class or machine is passed over; one that is no ELF file at all, or of the other byte order,
ends the search with an error. A file that is in the process under another path is not loaded again. Needs are
met breadth first.

An object that dlopen loads has no loader in the sense of rule 3, whoever called (glibc 2.36: its ``l_loader`` is
NULL, see the integration tests). So for an extension module without DT_RUNPATH its own DT_RPATH counts and the
executable's, which is how conda's ``python`` helps its modules; a DT_RPATH of libpython does not.

Not simulated: AT_SECURE, DT_FILTER and DT_AUXILIARY, LD_AUDIT, dlmopen namespaces, prelink. musl: see :mod:`diptych.closure.musl`.
"""

from __future__ import annotations

import posixpath
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from diptych.binaries import Binary
from diptych.closure.context import SearchContext, default_folders, interpreter_of, lib_token
from diptych.closure.model import Closure, Found, Loaded, LoadedObject, Tried, counted
from diptych.closure.tokens import expanded
from diptych.errors import FormatError


class _RefusedError(Exception):
    """The loader stops at a file."""


@dataclass(kw_only=True, eq=False)
class GlibcProcess:
    """A process as its loader sees it.

    Attributes:
        where: the world.
        main: the executable (or the library that stands for it).
        objects: all that is loaded, in order.
        subfolders: the hwcaps subfolders that each folder has.
        loader_path: the dynamic linker itself.
        attempts: how many places were looked at.
    """

    where: SearchContext
    main: LoadedObject
    objects: list[LoadedObject] = field(default_factory=list)
    subfolders: dict[str, tuple[str, ...]] = field(default_factory=dict)
    loader_path: str = ""
    attempts: int = 0

    def dlopen(self, path: str, binary: Binary) -> tuple[Loaded, ...]:
        """Load one more object by its path, and what it needs."""
        identity = self.where.files.identity(path)
        for known in self.objects:
            if identity is not None and known.identity == identity:
                return ()
        added = self._add(path, path, binary, None)
        return self.meet([added])

    def meet(self, start: list[LoadedObject]) -> tuple[Loaded, ...]:
        """Load what some objects need, breadth first."""
        entries: list[Loaded] = []
        pending = deque(start)
        while pending:
            wanting = pending.popleft()
            for name in wanting.binary.needed:
                count = len(self.objects)
                entries.append(self._need(expanded(name, self._tokens(wanting)), wanting, wanting.path))
                pending.extend(self.objects[count:])
        return tuple(entries)

    def preload(self) -> tuple[Loaded, ...]:
        """Load what LD_PRELOAD names; what is missing is only warned of."""
        names = re.split(r"[ :]+", self.where.environment.get("LD_PRELOAD", ""))
        return tuple(
            self._need(expanded(name, self._tokens(self.main)), self.main, "LD_PRELOAD", optional=True)
            for name in names
            if name
        )

    def _need(self, name: str, wanting: LoadedObject, wanted_by: str, *, optional: bool = False) -> Loaded:
        known = self._known(name)
        if known is not None:
            return Loaded(
                name=name,
                path=known.path,
                wanted_by=wanted_by,
                found_by=Found.ALREADY_LOADED,
                optional=optional,
                binary=known.binary,
            )
        tried: list[Tried] = []
        path, binary, found_by = self._search(name, wanting, tried)
        if path is not None and binary is not None:
            identity = self.where.files.identity(path)
            same = next((found for found in self.objects if found.identity == identity), None)
            if same is not None:
                same.names.add(name)
                path, found_by = same.path, Found.ALREADY_LOADED
            else:
                self._add(path, name, binary, wanting)
        return Loaded(
            name=name,
            path=path,
            wanted_by=wanted_by,
            found_by=found_by,
            searched=tuple(tried),
            optional=optional,
            binary=binary,
        )

    def _known(self, name: str) -> LoadedObject | None:
        if (
            not name
        ):  # the program's own l_name is the empty string, so this need is met (see the integration tests)
            return self.main
        for known in self.objects:
            if name == known.path or name in known.names:
                return known
            if known.binary.soname == name:
                return known
        return None

    def _add(self, path: str, name: str, binary: Binary, loader: LoadedObject | None) -> LoadedObject:
        added = LoadedObject(
            path=path,
            binary=binary,
            identity=self.where.files.identity(path),
            loader=loader,
            names={name},
            # The folder of the path as it was found: links are not resolved (unlike the executable's).
            origin=posixpath.dirname(path),
        )
        self.objects.append(added)
        return added

    def _search(
        self, name: str, wanting: LoadedObject, tried: list[Tried]
    ) -> tuple[str | None, Binary | None, Found]:
        for path, by in self._candidates(name, wanting):
            self.attempts = counted(self.attempts, wanting)
            try:
                binary, outcome = self._open(path)
            except _RefusedError as error:
                tried.append(Tried(path=path, by=by, outcome=str(error)))
                return path, None, Found.DAMAGED
            tried.append(Tried(path=path, by=by, outcome=outcome))
            if binary is not None:
                return path, binary, by
        return None, None, Found.NOT_FOUND

    def _open(self, path: str) -> tuple[Binary | None, str]:
        """Return the binary if the loader takes it, and what became of the attempt.

        Raises:
            _RefusedError: the loader would end with an error.
        """
        if self.where.files.identity(path) is None:
            return None, "absent"
        try:
            binary = self.where.files.read(path)[0]
        except FormatError as error:
            raise _RefusedError(error.summary) from None
        mine = self.main.binary
        if binary.format != "elf":
            raise _RefusedError("is no ELF file")
        if binary.bits != mine.bits:
            return None, f"of another class ({binary.bits} bit)"
        if binary.endianness != mine.endianness:
            raise _RefusedError(f"is {binary.endianness}-endian")
        if binary.machine != mine.machine:
            return None, f"of another machine ({binary.machine})"
        if binary.kind not in {"shared", "executable"}:
            raise _RefusedError(f"is no shared library but of kind {binary.kind}")
        return binary, "found"

    def _candidates(self, name: str, wanting: LoadedObject) -> Iterator[tuple[str, Found]]:
        if "/" in name:
            yield self._absolute(name), Found.PATH
            return
        for folder, by in self._folders(wanting):
            yield from self._in_folder(folder, name, by)
        standard = self._default_folders()
        nodeflib = "NODEFLIB" in wanting.binary.dynamic_flags
        cached = self.where.cache.get(name)
        if cached is not None and not (
            nodeflib and cached.startswith(tuple(f"{each}/" for each in standard))
        ):
            yield cached, Found.CACHE
        for folder in () if nodeflib else standard:
            yield from self._in_folder(folder, name, Found.DEFAULT)

    def _in_folder(self, folder: str, name: str, by: Found) -> Iterator[tuple[str, Found]]:
        base = self._absolute(folder)
        if base not in self.subfolders:  # as ld.so does: what is not there is not asked for again
            levels = self.where.hwcaps
            self.subfolders[base] = tuple(
                each for each in levels if self.where.files.is_folder(f"{base}/{each}")
            )
        for level in self.subfolders[base]:
            yield f"{base}/{level}/{name}", by
        yield f"{base}/{name}", by

    def _folders(self, wanting: LoadedObject) -> Iterator[tuple[str, Found]]:
        if not wanting.binary.runpath:
            for owner in self._rpath_owners(wanting):
                yield from ((folder, Found.RPATH) for folder in self._entries(owner.binary.rpath, owner))
        variable = self.where.environment.get("LD_LIBRARY_PATH", "")
        path = tuple(re.split("[:;]", variable))
        yield from ((folder, Found.LD_LIBRARY_PATH) for folder in self._entries(path, self.main))
        yield from ((folder, Found.RUNPATH) for folder in self._entries(wanting.binary.runpath, wanting))

    def _rpath_owners(self, wanting: LoadedObject) -> list[LoadedObject]:
        """Return whose DT_RPATH counts: the wanting object, its loaders up to the first, the executable."""
        return [owner for owner in self._chain(wanting) if not owner.binary.runpath]

    def _chain(self, wanting: LoadedObject) -> list[LoadedObject]:
        """Return the wanting object, its loaders up to the first, and the program."""
        owners: list[LoadedObject] = []
        owner: LoadedObject | None = wanting
        while owner is not None:
            owners.append(owner)
            owner = owner.loader
        return owners if self.main in owners else [*owners, self.main]

    def _entries(self, path: tuple[str, ...], owner: LoadedObject) -> list[str]:
        """Return the folders of a search path; a path that is empty as a whole has none."""
        if path in {(), ("",)}:
            return []
        return [expanded(entry, self._tokens(owner)) for entry in path]

    def _tokens(self, owner: LoadedObject) -> dict[str, str]:
        mine = self.main.binary
        return {
            "ORIGIN": owner.origin,
            "LIB": self.where.lib or lib_token(mine),
            "PLATFORM": self.where.platform or mine.machine,
        }

    def _default_folders(self) -> tuple[str, ...]:
        chosen = self.where.default_folders
        return default_folders(self.main.binary) if chosen is None else chosen

    def _absolute(self, path: str) -> str:
        """Return the path from the working folder, without trailing slashes; an empty one is that folder."""
        joined = posixpath.join(self.where.cwd, path) if path else self.where.cwd
        return joined.rstrip("/") or "/"


def start(
    path: str, binary: Binary, where: SearchContext, kind: type[GlibcProcess]
) -> tuple[GlibcProcess, tuple[Loaded, ...]]:
    """Start an executable (or stand a library in its place, as ldd does), and load what it needs."""
    # The kernel's name of the executable has no links in it (/proc/self/exe), a library's own keeps them.
    origin = where.files.real(path) if binary.kind == "executable" else path
    main = LoadedObject(
        path=path,
        binary=binary,
        identity=where.files.identity(path),
        loader=None,
        names=set(),
        origin=posixpath.dirname(origin),
    )
    process = kind(where=where, main=main, objects=[main])
    _add_loader(process)
    count = len(process.objects)
    preloaded = process.preload()
    entries = process.meet([main, *process.objects[count:]])
    return process, preloaded + entries


def elf_closure(path: str, binary: Binary, where: SearchContext, kind: type[GlibcProcess]) -> Closure:
    """Return the closure of an ELF binary, as one loader or the other searches.

    Raises:
        FormatError: ``where.executable`` is given and cannot be read.
    """
    if where.executable is None:
        return Closure(root=path, loaded=start(path, binary, where, kind)[1])
    executable = where.files.read(where.executable)[0]
    process, before = start(where.executable, executable, where, kind)
    return Closure(root=path, loaded=process.dlopen(path, binary), before=before)


def _add_loader(process: GlibcProcess) -> None:
    """Put the dynamic linker itself into the process: its SONAME satisfies those who need it."""
    path = interpreter_of(process.main.binary)
    if not path:
        return
    process.loader_path = path
    facts = Binary(
        name=path,
        format="elf",
        machine=process.main.binary.machine,
        bits=process.main.binary.bits,
        endianness=process.main.binary.endianness,
        kind="shared",
        size=0,
        soname=posixpath.basename(path),
    )
    process.objects.append(
        LoadedObject(
            path=path,
            binary=facts,
            identity=process.where.files.identity(path),
            loader=None,
            names={path},
            origin=posixpath.dirname(path),
        )
    )
