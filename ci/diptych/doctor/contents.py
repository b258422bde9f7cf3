"""The binaries of a target, one after the other, each with its bytes: streamed out of archives, mapped on disk."""

from __future__ import annotations

import mmap
import queue
import re
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from diptych.archives import Member, Package, PackageKind
from diptych.binaries import HEAD, Buffer, mapped, sniff
from diptych.doctor.container import Outside
from diptych.errors import FormatError, StoreError
from diptych.rules import Damage

_IN_MEMORY = 32 << 20
# No loader is led to these; in a large wheel they are most of the members, and opening each costs more than all binaries.
_SOURCES = (
    ".py",
    ".pyi",
    ".pyc",
    ".h",
    ".hpp",
    ".cuh",
    ".cmake",
    ".txt",
    ".json",
    ".yaml",
    ".md",
    ".rst",
    ".html",
)
_ON_DISK = {PackageKind.FOLDER, PackageKind.ENVIRONMENT, PackageKind.FILE}

_LIBRARY = re.compile(r"[^/]\.(?:so(?:\.\d+)*|dylib)$")
_WASM = "WebAssembly"
_OTHERS = {
    b"version ": "a Git LFS pointer",
    b"\0asm": _WASM,
    b"MZ": "a Windows binary",
    b"!<arch>": "a static library",
    b"/* GNU l": "a linker script",
    b"INPUT": "a linker script",
    b"GROUP": "a linker script",
    b"OUTPUT_F": "a linker script",
}

Content = tuple[Member, Buffer | Damage]


def binaries_of(package: Package, outside: Outside | None = None) -> Iterator[Content]:
    """Yield every member that begins like a binary, in no certain order; its bytes are good until the next is asked for.

    Members up to 32 MiB are held in memory; larger ones go through a temporary file, of which only what is looked at
    comes back. A member that cannot be inflated is yielded as a damage, and the others follow where the archive allows.
    Members with the names of sources and texts (``.py``, ``.h``, …) are passed over, unless ``outside`` wants to see them pass.

    Raises:
        FormatError: the archive as a whole is damaged or hostile.
        StoreError: no room for the temporary file.
    """
    if package.kind in _ON_DISK:
        yield from _on_disk(package)
        return
    for member, data in _ahead(_streams(package, outside)):
        yield member, data
        if isinstance(data, mmap.mmap):
            data.close()


def _on_disk(package: Package) -> Iterator[Content]:
    root = package.path.parent if package.kind is PackageKind.FILE else package.path
    for member in package.members:
        if member.link is not None or not _eligible(package, member):
            continue
        try:
            head = package.head(member, HEAD)
            if sniff(head):
                with mapped(root / member.name) as data:
                    yield member, data
            elif package.kind is not PackageKind.FILE and (other := _instead(member, head)):
                yield member, other
        except FormatError as error:
            yield member, Damage(place=member.name, problem=error.summary)


def _eligible(package: Package, member: Member) -> bool:
    return package.is_payload(member) and not member.name.endswith(_SOURCES)


def _streams(package: Package, outside: Outside | None) -> list[Iterator[Content]]:
    """Return what can be inflated side by side: a zip's large members beside all others; a tar is one stream."""

    def wanted(member: Member) -> bool:
        return _eligible(package, member) or (outside is not None and outside.wants(member))

    if package.kind is not PackageKind.WHEEL or all(member.size <= _IN_MEMORY for member in package.members):
        return [_inflated(package, wanted, outside)]
    return [
        _inflated(package, lambda member: member.size > _IN_MEMORY and wanted(member), outside),
        _inflated(package, lambda member: member.size <= _IN_MEMORY and wanted(member), outside),
    ]


def _inflated(
    package: Package, wanted: Callable[[Member], bool], outside: Outside | None
) -> Iterator[Content]:
    for member, pieces in package.container.stream(wanted):
        passing = pieces if outside is None else outside.watched(member, pieces)
        try:
            if _eligible(package, member):
                head, passing = _head(passing)
                if sniff(head):
                    yield member, _whole(member, passing)
                    continue
                if other := _instead(member, head):
                    yield member, other
            if outside is not None:
                deque(passing, maxlen=0)
        except FormatError as error:
            if _eligible(package, member):
                yield member, Damage(place=member.name, problem=error.summary)
            elif outside is not None:
                outside.broken(member, error)


def _instead(member: Member, head: bytes) -> Damage | None:
    """Return what a member is that has the name of a library and does not begin like one; None for any other name."""
    if not _LIBRARY.search(member.name) or member.link is not None:
        return None
    kind = next((words for magic, words in _OTHERS.items() if head.startswith(magic)), "")
    if kind == _WASM:  # Emscripten's modules are called .so
        return None
    kind = kind or ("a text" if head and all(32 <= byte < 127 or byte in b"\t\r\n" for byte in head) else "")  # noqa: PLR2004
    kind = kind or ("cut off" if head else "empty")
    return Damage(place=member.name, problem=f"begins with {head!r}" if head else "0 bytes", other=kind)


def _head(pieces: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return the first bytes, and all pieces again."""
    first = b""
    for piece in pieces:
        first += piece
        if len(first) >= HEAD:
            break
    return first[:HEAD], chain([first], pieces)


def _whole(member: Member, pieces: Iterator[bytes]) -> Buffer:
    if member.size <= _IN_MEMORY:
        return b"".join(pieces)
    try:
        with tempfile.TemporaryFile(buffering=0) as file:
            for piece in pieces:
                file.write(piece)
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise StoreError(f'cannot look into "{member.name}": {error.strerror or error}') from error


@dataclass(frozen=True, kw_only=True)
class _End:
    """The end of one stream, with the error that ended it."""

    error: BaseException | None = None


def _ahead(streams: Sequence[Iterator[Content]]) -> Iterator[Content]:
    """Inflate in threads while the present member is looked at: zlib lets other threads run."""
    ready: queue.Queue[Content | _End] = queue.Queue(maxsize=1)
    stopped = threading.Event()

    def inflate(contents: Iterator[Content]) -> None:
        error: BaseException | None = None
        try:
            for content in contents:
                if not _offered(ready, content, stopped):
                    return
        except Exception as caught:  # noqa: BLE001 -- raised again in the thread that reads
            error = caught
        _offered(ready, _End(error=error), stopped)

    workers = [threading.Thread(target=inflate, args=(stream,), daemon=True) for stream in streams]
    for worker in workers:
        worker.start()
    try:
        yield from _until_all_end(ready, len(workers))
    finally:
        stopped.set()
        for worker in workers:
            worker.join()


def _until_all_end(ready: queue.Queue[Content | _End], running: int) -> Iterator[Content]:
    while running:
        content = ready.get()
        if not isinstance(content, _End):
            yield content
            continue
        running -= 1
        if content.error is not None:
            raise content.error


def _offered(ready: queue.Queue[Content | _End], content: Content | _End, stopped: threading.Event) -> bool:
    """Hand something over; False when nobody reads any more."""
    while not stopped.is_set():
        try:
            ready.put(content, timeout=0.1)
        except queue.Full:
            continue
        return True
    return False
