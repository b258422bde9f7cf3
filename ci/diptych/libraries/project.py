"""A library that CMake builds and installs by its own rules, such as fmt, as one package."""

from __future__ import annotations

from pathlib import Path

from diptych.channel.package import Package
from diptych.errors import ChannelError
from diptych.libraries.making import Installed, Making

_LICENCES = ("LICENSE*", "LICENCE*", "COPYING*")


def select(name: str) -> str | None:
    """Return where a file of the source goes: all of it is needed."""
    return name


def package(making: Making, installed: Installed) -> Package:
    """Return the package of all that was installed.

    Raises:
        ChannelError: it states no version.
    """
    version = installed.version
    if not version:
        raise ChannelError(
            f'the CMakeLists.txt of "{making.name}" states no version', hint="project(NAME VERSION 1.2.3)"
        )
    shared = any(".so" in file.path for file in installed.files)
    pin = f"{making.name} >={version},<{_next(version)} *_{making.abi}_*"
    return Package(
        name=making.name,
        version=version,
        build=f"x_{making.abi}_h{{hash}}_0",
        subdir=making.subdir,
        run_exports={"weak": (pin,)} if shared else {},
        licenses={path.name: path.read_bytes() for path in _licences(making.tree)},
        summary=f"{making.name}, compiled for one C++ ABI",
        origin=making.origin,
        files=installed.files,
    )


def _licences(tree: Path) -> list[Path]:
    return sorted({path for glob in _LICENCES for path in tree.glob(glob) if path.is_file()})


def _next(version: str) -> str:
    """Return the next major version; below 1 the next minor one (Semantic Versioning 2.0, 4)."""
    parts = [int("".join(filter(str.isdigit, part)) or 0) for part in version.split(".")]
    if parts[0] or len(parts) == 1:
        return f"{parts[0] + 1}.0a0"
    return f"0.{parts[1] + 1}.0a0"
