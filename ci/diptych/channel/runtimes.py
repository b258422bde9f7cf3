"""GCC's runtime libraries of this machine as conda packages: ``libgcc`` and ``libstdcxx``.

Names, places and pins are those of ctng-compilers-feedstock: the libraries lie in ``lib/`` with their plain ``.so`` names
beside them, and ``libstdcxx`` wants the ``libgcc`` of the same build. The version is the GCC release whose symbol versions the
library has; so what was compiled on this machine, and says which ones it needs, can be solved for here as elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from diptych.binaries import read, read_file
from diptych.channel.package import Package, PackageFile
from diptych.errors import ChannelError, FormatError
from diptych.packages.needs import needs_of
from diptych.packages.specs import name_of
from diptych.policy.gcc_releases import release_key, release_with
from diptych.store import sha256_file
from diptych.system import locate

LIBGCC, LIBSTDCXX = "libgcc", "libstdcxx"
_LICENSE = "GPL-3.0-only WITH GCC-exception-3.1"
_TEXTS = (
    "doc/libstdc++6/copyright", "doc/libgcc-s1/copyright", "doc/libgcc1/copyright",  # Debian, Ubuntu
    "licenses/libgcc/COPYING*", "licenses/gcc-libs/*", "licenses/libgcc_s1/*", "licenses/gcc/COPYING*",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """The machine's libraries.

    Attributes:
        libgcc: the file behind ``libgcc_s.so.1``.
        libstdcxx: the file behind ``libstdc++.so.6``.
        version: the release whose symbol versions they have, such as ``12.1``.
        share: the folder with licence texts.
    """

    libgcc: Path
    libstdcxx: Path
    version: str
    share: Path = Path("/usr/share")

    @property
    def state(self) -> list[tuple[str, str]]:
        """What the packages are made of: each file with its hash."""
        return [(str(file), sha256_file(file)) for file in (self.libgcc, self.libstdcxx)]


def find_runtime() -> Runtime | None:
    """Return the machine's libraries; None where it has none (musl, macOS)."""
    libgcc, libstdcxx = locate("libgcc_s.so.1"), locate("libstdc++.so.6")
    if libgcc is None or libstdcxx is None:
        return None
    libgcc, libstdcxx = libgcc.resolve(), libstdcxx.resolve()
    versions = [one.name for file in (libgcc, libstdcxx) for one in read_file(file)[0].version_definitions]
    known = [found for version in versions if (found := release_with(version))]
    if not known:
        return None
    return Runtime(libgcc=libgcc, libstdcxx=libstdcxx, version=max(known, key=release_key))


def runtime_package(name: str, runtime: Runtime, *, subdir: str) -> Package:
    """Return ``libgcc`` or ``libstdcxx``.

    Args:
        name: which.
        runtime: the libraries.
        subdir: conda's name of the platform.
    """
    file, soname, plain = {
        LIBGCC: (runtime.libgcc, "libgcc_s.so.1", "libgcc_s.so"),
        LIBSTDCXX: (runtime.libstdcxx, "libstdc++.so.6", "libstdc++.so"),
    }[name]
    # Distributions name the file by its version, or by the SONAME alone.
    real = file.name if file.name.startswith(soname) else soname
    links = [link for link in (plain, soname) if link != real]
    depends = (f"{LIBGCC} =={runtime.version}",) if name == LIBSTDCXX else ()
    return Package(
        name=name,
        version=runtime.version,
        build="h{hash}_0",
        subdir=subdir,
        depends=depends,
        # The old name of the same package would bring a second copy of the file.
        constrains=(f"{name}-ng <0.0a0",),
        license=_LICENSE,
        summary="The GCC low-level runtime library" if name == LIBGCC else "The GNU C++ Runtime Library",
        licenses=dict(_licences(runtime.share)),
        origin={"kind": "machine", "file": str(file), "sha256": sha256_file(file)},
        files=[
            PackageFile(path=f"lib/{real}", read=file.read_bytes, executable=True),
            *(PackageFile(path=f"lib/{link}", read=file.read_bytes, link=real) for link in links),
        ],
    )


def with_needs(package: Package) -> Package:
    """Add what a package's ELF files need of C library and runtime to its requirements, unless it states that.

    Raises:
        ChannelError: a file of it is damaged.
    """
    files = tuple(package.files)
    stated = {package.name, *map(name_of, package.depends)}
    try:
        binaries = {
            file.path: read(data, file.path)[0]
            for file in files
            if _may_be_elf(file) and (data := file.read())[:4] == b"\x7fELF"
        }
    except FormatError as error:
        raise ChannelError(f'package "{package.name}": {error.summary}', details=error.details) from error
    added = [need.spec for need in needs_of(binaries) if name_of(need.spec) not in stated]
    return replace(package, files=files, depends=(*package.depends, *added))


def _may_be_elf(file: PackageFile) -> bool:
    name = file.path.rpartition("/")[2]
    return not file.link and (".so" in name or file.path.startswith("bin/"))


def _licences(share: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the first licence texts that the distribution has of GCC's runtime."""
    for pattern in _TEXTS:
        found = [path for path in sorted(share.glob(pattern)) if path.is_file()]
        if found:
            for path in found:
                yield path.name, path.read_bytes()
            return
