"""A conda package before it is written: its files, its metadata, where it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

# conda's way to a prefix that can be replaced anywhere (conda-build, CEP 34): long and unmistakable.
PLACEHOLDER = ("/opt/diptych" + "_placehold" * 30)[:255]


@dataclass(frozen=True, kw_only=True)
class PackageFile:
    """One file of a package.

    Attributes:
        path: where in the prefix, with forward slashes.
        read: returns the bytes; for a link, those of the file it leads to.
        executable: whether it gets the x bits.
        link: for a symbolic link, where it points.
        has_placeholder: it holds :data:`PLACEHOLDER`, which the installer replaces by the prefix.
    """

    path: str
    read: Callable[[], bytes]
    executable: bool = False
    link: str = ""
    has_placeholder: bool = False


@dataclass(frozen=True, kw_only=True)
class Package:
    """All that goes into one .conda file.

    Attributes:
        name: conda-forge's name.
        version: its version.
        build: the build string, in which ``{hash}`` stands for the hash of the contents.
        build_number: higher goes first among equals.
        subdir: ``noarch`` or a platform such as ``linux-64``.
        noarch: ``python`` (files under site-packages/, CEP 34), ``generic``, or empty.
        depends: match specifications of what it needs.
        constrains: match specifications that must hold if the named package is there.
        run_exports: what packages built against it come to need (``weak``, ``strong``, ``noarch``).
        entry_points: console scripts, for ``noarch = python``.
        site_packages: where other packages put Python modules (CEP 17); only of ``python``.
        track_features: a mark that solvers avoid: among builds of one version, the one without it is taken unless the other is asked for.
        license: an SPDX expression, where known.
        summary: one line.
        licenses: license texts, by file name.
        origin: where the contents came from, and what was changed.
        files: the files.
    """

    name: str
    version: str
    build: str
    files: Iterable[PackageFile]
    origin: Mapping[str, object]
    subdir: str
    noarch: Literal["", "python", "generic"] = ""
    build_number: int = 0
    depends: tuple[str, ...] = ()
    constrains: tuple[str, ...] = ()
    run_exports: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    entry_points: tuple[str, ...] = ()
    site_packages: str = ""
    track_features: str = ""
    license: str = ""
    summary: str = ""
    licenses: Mapping[str, bytes] = field(default_factory=dict)


_PLATFORMS = {
    "linux-x86_64": "linux-64",
    "linux-aarch64": "linux-aarch64",
    "linux-ppc64le": "linux-ppc64le",
    "macosx-arm64": "osx-arm64",
    "macosx-x86_64": "osx-64",
}


def subdir_of(platform: str) -> str:
    """Return conda's name of a ``sysconfig.get_platform()``: ``linux-x86_64`` is ``linux-64``."""
    system, _, rest = platform.partition("-")
    return _PLATFORMS.get(f"{system}-{rest.rpartition('-')[2]}", platform)
