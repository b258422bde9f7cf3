"""What ``invoke channel`` does: list the packages, add one, make all of them again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from diptych import interpreters
from diptych.channel import index, pypi
from diptych.channel.conda_file import CondaFile, write
from diptych.channel.local import ASKED, LocalChannel, ensure, wanted_before
from diptych.channel.wheel import Wheel
from diptych.channel.wheel_package import wheel_package
from diptych.errors import ChannelError, MissingToolError
from diptych.store import Store, copy_file, digest, discard, sha256_file, write_json


@dataclass(frozen=True, kw_only=True)
class Row:
    """One package in a listing.

    Attributes:
        name: the conda name.
        version: its version.
        build: its build string.
        subdir: ``noarch`` or a platform.
        size: in bytes.
        sha256: of the file.
        origin: the wheel's file name, or the interpreter and its version.
        whole: whether the file is there with the recorded contents.
    """

    name: str
    version: str
    build: str
    subdir: str
    size: int
    sha256: str
    origin: str
    whole: bool


def listing(root: Path) -> list[Row]:
    """Return the packages of the channel, sorted by name; none when there is no channel yet."""
    return [
        Row(
            name=record.file.name,
            version=record.file.version,
            build=record.file.build,
            subdir=record.file.subdir,
            size=record.file.size,
            sha256=record.file.sha256,
            origin=_origin(record.origin),
            whole=record.is_whole(root),
        )
        for record in index.all_records(root)
    ]


def _origin(origin: Mapping[str, object]) -> str:
    if "interpreter" in origin:
        return f"{origin['interpreter']} ({origin['version']})"
    return str(origin.get("wheel") or origin.get("file") or origin.get("kind", ""))


def add(
    path: Path,
    *,
    root: Path,
    store: Store,
    env: Mapping[str, str],
    say: Callable[[str], None],
    python: str = "",
) -> CondaFile:
    """Put a .conda file, or a wheel as a conda package, into the channel.

    From then on the channel has no other package of that name made: what a person adds comes first.

    Args:
        path: the file.
        root: the channel's folder.
        store: holds the lock.
        env: to find the interpreter.
        say: told what is being done.
        python: the Python that a wheel is for; needed only when it is not pure.

    Raises:
        ChannelError: the file is neither, or cannot be read.
        MissingToolError: there is no such Python.
    """
    root = root.absolute()
    if path.suffix not in (".conda", ".whl"):
        raise ChannelError(f'"{path}" is neither a wheel nor a .conda file')
    with store.lock("channel"):
        file, origin = (
            _added_conda(path, root)
            if path.suffix == ".conda"
            else _added_wheel(path, python, root, store, env)
        )
        index.write_record(
            root, digest("added", file.filename, file.sha256), file, {**origin, index.ADDED: True}
        )
        index.refresh(root, say=say)
    return file


def _added_conda(path: Path, root: Path) -> tuple[CondaFile, dict[str, object]]:
    from rattler.package import IndexJson  # noqa: PLC0415 -- 50 ms, for this alone

    try:
        read = IndexJson.from_package_archive(path)
    except Exception as error:
        raise ChannelError(f'cannot read package "{path}": {error}') from error
    file = CondaFile(
        subdir=read.subdir or "noarch",
        filename=path.name,
        name=read.name.normalized,
        version=str(read.version),
        build=str(read.build),
        sha256=sha256_file(path),
        size=path.stat().st_size,
    )
    copy_file(path, root / file.subdir / file.filename)
    return file, {"kind": "file", "file": str(path.absolute()), "sha256": file.sha256}


def _added_wheel(
    path: Path, python: str, root: Path, store: Store, env: Mapping[str, str]
) -> tuple[CondaFile, dict[str, object]]:
    with Wheel(path) as wheel:
        found = interpreters.find(python, env=env, store=store) if python else None
        if found is None and (python or not wheel.is_pure):
            raise MissingToolError(
                f'"{path.name}" is for one Python: "{python or "none named"}" is not on this machine',
                hint="name the Python it is for",
            )
        interpreter = found or next(iter(interpreters.find_all(env=env, store=store)))
        metadata = wheel.metadata
        origin = {
            "kind": "wheel",
            "wheel": path.name,
            "sha256": sha256_file(path),
            "url": path.absolute().as_uri(),
        }
        chosen = pypi.ResolvedWheel(
            name=wheel.name,
            version=str(wheel.version),
            url=str(origin["url"]),
            sha256=str(origin["sha256"]),
            requires=tuple(str(line) for line in metadata.get_all("Requires-Dist", [])),
        )
        needs = pypi.requirements(wheel.name, pypi.alone(chosen, interpreter))
        package = wheel_package(wheel, interpreter, needs=needs, origin=origin)
        return write(package, root), dict(package.origin)


def rebuild(
    *, root: Path, store: Store, env: Mapping[str, str], say: Callable[[str], None]
) -> list[LocalChannel]:
    """Make everything again that was ever asked for: versions resolved anew, packages written anew.

    Packages that were added by hand are lost; wheels stay in the store.

    Raises:
        ChannelError: as :func:`ensure`; the old channel is gone then.
    """
    before = wanted_before(root)
    with store.lock("channel"):
        discard(root)
        # First of all, so that a rebuild that fails or is stopped can be run again.
        write_json(root / ASKED, before)
    return [
        ensure(specs, python=python, root=root, store=store, env=env, say=say)
        for python, specs in before.items()
    ]
