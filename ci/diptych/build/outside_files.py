"""After the compile: was everything that was included and linked this cell's own?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from diptych import process
from diptych.binaries import Binary, find_binaries, read_file
from diptych.build.cmake import CMakeBuild
from diptych.environments import Environment
from diptych.errors import LinkageError
from diptych.sanitizers import Sanitizer
from diptych.siblings import siblings
from diptych.system import is_system_library, locate

_LIBPYTHON = re.compile(r"libpython\d(\.\d+)?[a-z]*\.(so|dylib)|Python\.framework/")
_INCLUDE = re.compile(r"^(?P<root>.*?/include(?:/[^/]+-linux-[^/]+)?)/(?P<name>.+)$")


def check_headers(build: CMakeBuild) -> None:
    """Refuse a header from outside the cell that the host environment has too, or that is another Python's.

    Headers of the system (C library, compiler) are fine; a ``/usr/include/boost`` that hides the environment's
    is not. The evidence is Ninja's own record of what each object included (``ninja -t deps``).

    Raises:
        LinkageError: naming header and object.
    """
    done = process.run(
        ["ninja", "-C", build.tree, "-t", "deps"], env=build.env, cwd=build.source, check=False
    )
    homes = tuple(f"{home}/" for home in (build.source, build.tree, build.prefix))
    outside = dict(_outside_headers(done.output, homes, build.prefix))
    if outside:
        shown = [f"{header} (in {target})" for header, target in sorted(outside.items())[:10]]
        more = [f"and {len(outside) - 10} more"] if len(outside) > 10 else []  # noqa: PLR2004 -- as above
        raise LinkageError(
            "headers from outside the cell were compiled in",
            details=[*shown, *more],
            hint=f"the environment's own lie in {build.prefix / 'include'}: link the CMake target that brings them",
        )


def check_links(site: Path, *, environment: Environment, sanitizer: Sanitizer | None) -> None:
    """Refuse a needed library that neither stage, host environment, sanitizer nor the system list provides, and libpython.

    Raises:
        LinkageError: naming the stranger, who needs it, and where it was found.
    """
    binaries = {path: read_file(path)[0] for path in find_binaries(site)}
    names = {path.name for path in binaries} | {one.soname for one in binaries.values() if one.soname}
    names |= siblings(environment.prefix).keys()
    faults = [
        fault
        for path, binary in sorted(binaries.items())
        for fault in _link_faults(
            path.relative_to(site).as_posix(), _without_runtime(binary, sanitizer), names, environment
        )
    ]
    if faults:
        raise LinkageError(
            "something was linked that is not this cell's",
            details=faults,
            hint="name the library's package in tool.diptych.host, or mend target_link_libraries()",
        )


def _without_runtime(binary: Binary, sanitizer: Sanitizer | None) -> Binary:
    """Leave out what a sanitizer has linked: no package is made of it."""
    if sanitizer is None:
        return binary
    return replace(binary, needed=tuple(name for name in binary.needed if not sanitizer.owns(name)))


def _outside_headers(deps: str, homes: tuple[str, ...], prefix: Path) -> Iterator[tuple[str, str]]:
    target = ""
    judged: dict[str, bool] = {}
    for line in deps.splitlines():
        if not line.startswith(" "):
            target = line.partition(":")[0]
            continue
        header = line.strip()
        if header not in judged:
            judged[header] = (
                header.startswith("/") and not header.startswith(homes) and _hides(header, prefix)
            )
        if judged[header]:
            yield header, target


def _hides(header: str, prefix: Path) -> bool:
    """Tell whether a header is another Python's, or stands in for one that the environment has."""
    if header.endswith("/Python.h"):
        return True
    found = _INCLUDE.match(header)
    return found is not None and (prefix / "include" / found["name"]).exists()


def _link_faults(name: str, binary: Binary, own: set[str], environment: Environment) -> Iterator[str]:
    for needed in binary.needed:
        base = needed.rpartition("/")[2]
        if _LIBPYTHON.search(needed):
            yield f"{name} needs {needed}: link Python::Module, never libpython (PEP 513)"
        elif base in own or (environment.prefix / "lib" / base).exists():
            continue
        elif not is_system_library(needed, binary.format):
            yield f"{name} needs {needed}, {_whereabouts(base)}"


def _whereabouts(name: str) -> str:
    found = locate(name)
    return f"which this machine has as {found}" if found else "which was not found anywhere"
