"""The source of a library: found, fetched by hash, and unpacked into the store as far as it is needed."""

from __future__ import annotations

import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from lzma import LZMAError
from pathlib import Path, PurePosixPath

from diptych import fetching
from diptych.config import LibrarySpec
from diptych.errors import ChannelError
from diptych.libraries import apt
from diptych.store import Store, digest, read_json, sha256_file, sha256_tree, write_json

_APT = "apt:"
_LEFT_OUT = frozenset({".git", ".diptych", "build", "__pycache__"})
Select = Callable[[str], str | None]
"""From the path of a file below the source's top folder to its path in the store; None where it is not needed."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A source that is known by its hash.

    Attributes:
        library: whose it is.
        place: its archive or folder on disk, or the URL of the archive, which is fetched when it is unpacked.
        sha256: of the archive, or of all that is needed of the folder.
        origin: where it is from, for the packages that are made of it.
    """

    library: str
    place: Path | str
    sha256: str
    origin: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where sources are looked for and kept.

    Attributes:
        root: the folder that relative paths start from.
        store: keeps archives, and what was unpacked of them.
        env: the process environment, for apt and for proxies.
        say: told what is being done.
    """

    root: Path
    store: Store
    env: Mapping[str, str]
    say: Callable[[str], None]


def find(spec: LibrarySpec, place: Place, select: Select) -> Source:
    """Return a library's source; nothing is fetched yet.

    Args:
        spec: the library.
        place: where it is looked for.
        select: what is needed of it.

    Raises:
        ChannelError: it is not there.
    """
    if fetching.is_url(spec.source):
        return _at(spec, spec.source)
    if not spec.source.startswith(_APT):
        return _on_disk(spec, place, select)
    with _wanted(spec.name):
        archive = _known(spec, place)
    return _at(spec, f"{archive.url}#sha256={archive.sha256}")


def state(spec: LibrarySpec, root: Path, select: Select) -> str:
    """Return what tells a source from an earlier state of it without reading it: the times of its files; of others, their name.

    Args:
        spec: the library.
        root: the folder that relative paths start from.
        select: what is needed of it.
    """
    path = root / spec.source
    if spec.source.startswith(_APT) or fetching.is_url(spec.source) or not path.exists():
        return spec.source
    files = _chosen(path, select) if path.is_dir() else [(path, path.name)]
    return digest([(name, file.stat().st_size, file.stat().st_mtime_ns) for file, name in files])


def unpacked(source: Source, place: Place, select: Select) -> Path:
    """Return a folder with what is needed of a source, which is fetched for it if need be.

    Raises:
        ChannelError: it cannot be fetched, is damaged, or nothing in it is needed.
    """

    def make(folder: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="diptych-source-") as scratch:
            path = source.place if isinstance(source.place, Path) else _fetched(source, place, Path(scratch))
            place.say(f"unpacking {path.name}")
            _unpack(path, folder, select)
        if not any(folder.iterdir()):
            raise ChannelError(f'"{path}" is not the source of "{source.library}"')

    return place.store.entry("sources", digest("unpacked", source.library, source.sha256), make)[0]


def _unpack(path: Path, folder: Path, select: Select) -> None:
    files = _of_folder if path.is_dir() else _of_archive
    try:
        for name, data in files(path, select):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
    except (tarfile.TarError, LZMAError, EOFError, OSError, zlib.error) as error:
        raise ChannelError(f'"{path}" cannot be unpacked: {error}', hint="is it whole?") from error


def _fetched(source: Source, place: Place, folder: Path) -> Path:
    url = str(source.place)
    place.say(f"fetching {fetching.file_name(url)}")
    with _wanted(source.library):
        return fetching.fetch(url, folder, env=place.env)


@contextmanager
def _wanted(library: str) -> Iterator[None]:
    """Say whose source it is that cannot be had."""
    try:
        yield
    except ChannelError as error:
        raise ChannelError(
            f'the source of "{library}" cannot be had: {error.summary}',
            details=error.details,
            hint=_hint(library),
        ) from error


def _hint(library: str) -> str:
    return f'name another: [tool.diptych.libraries.{library}], source = "…"'


def _known(spec: LibrarySpec, place: Place) -> apt.Archive:
    """Return what apt has said once; another archive of the same name would be another version of the distribution."""
    note = place.store.root / "apt" / f"{digest(spec.source)}.json"
    if kept := read_json(note):
        return apt.Archive(**kept)
    place.say(f"asking apt for {spec.source.removeprefix(_APT)}")
    found = apt.find(spec.source.removeprefix(_APT), folder=place.store.root / "apt", env=place.env)
    write_json(note, asdict(found))
    return found


def _at(spec: LibrarySpec, url: str) -> Source:
    sha256 = fetching.hash_in(url).value
    origin = {"source": spec.source, "url": url.partition("#")[0], "sha256": sha256}
    return Source(library=spec.name, place=url, sha256=sha256, origin=origin)


def _on_disk(spec: LibrarySpec, place: Place, select: Select) -> Source:
    path = place.root / spec.source
    if not path.exists():
        raise ChannelError(
            f'the source of "{spec.name}" is not there: no file or folder "{path}"', hint=_hint(spec.name)
        )
    if path.is_dir():
        sha256 = sha256_tree(path, [file for file, _ in _chosen(path, select)])
    else:
        sha256 = sha256_file(path)
    origin = {"source": spec.source, "sha256": sha256}
    return Source(library=spec.name, place=path, sha256=sha256, origin=origin)


def _chosen(folder: Path, select: Select) -> Iterator[tuple[Path, str]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if not _LEFT_OUT & set(name.parts) and path.is_file() and (target := select(name.as_posix())):
            yield path, target


def _of_folder(folder: Path, select: Select) -> Iterator[tuple[str, bytes]]:
    yield from ((target, path.read_bytes()) for path, target in _chosen(folder, select))


def _of_archive(archive: Path, select: Select) -> Iterator[tuple[str, bytes]]:
    """Yield regular files; the one folder at the top, which archives of sources have, is left out."""
    with tarfile.open(archive, "r|*") as tar:
        for member in tar:
            parts = PurePosixPath(member.name).parts
            if not member.isfile() or ".." in parts or member.name.startswith("/"):
                continue
            target = select("/".join(parts[1:] if parts[0] != "." else parts[2:]))
            if target and (file := tar.extractfile(member)):
                yield target, file.read()
