"""A wheel as a conda package, with the files that a recipe of conda-forge has after ``pip install``.

Pure wheels become ``noarch: python`` (files under site-packages/, scripts under python-scripts/, entry points
in info/link.json; CEP 34), others packages of one Python. ``.dist-info`` stays, with INSTALLER saying conda,
so that pip and importlib.metadata see the project.
"""

from __future__ import annotations

import csv
import io
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Literal

from diptych import specs
from diptych.channel.package import PLACEHOLDER, Package, PackageFile, subdir_of
from diptych.channel.pypi import Requirements
from diptych.channel.python_package import names_of
from diptych.channel.wheel import Member, Wheel, license_of
from diptych.interpreters import Interpreter
from diptych.siblings import INNER_PREFIX
from diptych.specs import to_conda

# What pip writes for console scripts (distlib), with the prefix to be filled in.
_SCRIPT = """#!{placeholder}/bin/python
# -*- coding: utf-8 -*-
import re
import sys

from {module} import {first}

if __name__ == "__main__":
    sys.argv[0] = re.sub(r"(-script\\.pyw?|\\.exe)?$", "", sys.argv[0])
    sys.exit({function}())
"""
# find_package() looks below $PREFIX/share/cmake, where conda-forge has these files; their own place is below site-packages.
_LEAD = """file(GLOB _diptych_found "${{CMAKE_CURRENT_LIST_DIR}}/../../../lib/python3*/site-packages/{path}")
list(GET _diptych_found 0 _diptych_found)
include("${{_diptych_found}}")
"""
_CMAKE_PACKAGE = re.compile(r"(?P<name>.+?)(?:ConfigVersion|-config-version|Config|-config)\.cmake")
_NO_CMAKE_PACKAGES = frozenset({"cmake"})  # its own modules
_IN_A_PACKAGE = re.compile(r"[^/]+/(include/.+|share/pkgconfig/[^/]+\.pc)")
_SHEBANG = re.compile(rb"^#!python[^\r\n]*")


def wheel_package(
    wheel: Wheel, interpreter: Interpreter, *, needs: Requirements, origin: Mapping[str, object]
) -> Package:
    """Return the conda package of a wheel.

    Args:
        wheel: open, and to be kept open until the package is written.
        interpreter: the Python it is for; what it depends on may differ by it.
        needs: its requirements, for that Python.
        origin: where the wheel came from.
    """
    noarch = is_noarch(wheel)
    python = names_of(interpreter)
    minor = python.minor.replace(".", "")
    kind: Literal["python", ""] = "python" if noarch else ""
    scripts = console_scripts(wheel)
    site = "site-packages" if noarch else python.site_packages
    files = [
        *_files(wheel, site, "python-scripts" if noarch else "bin", f"include/python{interpreter.minor}")
    ]
    files += [*_leads(wheel), *(_headers(wheel) if noarch else ())]
    if not noarch:
        files += _entry_points(scripts)
    return Package(
        name=specs.conda_name(wheel.name),
        version=str(wheel.version),
        build="pyh{hash}_0" if noarch else f"py{minor}h{{hash}}_0",
        subdir="noarch" if noarch else subdir_of(interpreter.platform),
        noarch=kind,
        depends=(*needs.depends, *_python_depends(wheel, interpreter, needs, noarch=noarch)),
        run_exports=_run_exports(wheel),
        entry_points=tuple(f"{name} = {target}" for name, target in scripts),
        license=license_of(wheel.metadata),
        summary=str(wheel.metadata.get("Summary") or ""),
        licenses=_licenses(wheel),
        origin=origin,
        files=files,
    )


def is_noarch(wheel: Wheel) -> bool:
    """Tell whether one package can serve all Pythons: pure, and without C headers."""
    return wheel.is_pure and all(member.scheme != "headers" for member in wheel.members())


def console_scripts(wheel: Wheel) -> list[tuple[str, str]]:
    """Return (script name, ``module:function``) of its entry points."""
    points = wheel.distribution.entry_points
    groups = ("console_scripts", "gui_scripts")
    # An extra in brackets after the target is allowed and means nothing to the script.
    return sorted({(p.name, p.value.split("[")[0].strip()) for p in points if p.group in groups})


def _python_depends(
    wheel: Wheel, interpreter: Interpreter, needs: Requirements, *, noarch: bool
) -> tuple[str, ...]:
    python = names_of(interpreter)
    if not noarch:
        return (python.python, python.abi)
    if needs.python_specific:
        # A noarch package has one list of requirements: this one holds for this Python only.
        return (python.python,)
    return (f"python {to_conda(str(wheel.metadata.get('Requires-Python') or ''))}".strip(),)


def _files(wheel: Wheel, site: str, scripts: str, include: str) -> Iterator[PackageFile]:
    places = {"site": f"{site}/", "scripts": f"{scripts}/", "data": "", "headers": f"{include}/"}
    record = f"{wheel.dist_info}/RECORD"
    for member in wheel.members():
        if member.path in (record, f"{record}.jws", f"{record}.p7s", f"{wheel.dist_info}/INSTALLER"):
            continue
        yield _file(member, places.get(member.scheme, "") + member.path)
    yield PackageFile(path=f"{site}/{wheel.dist_info}/INSTALLER", read=lambda: b"conda\n")
    yield PackageFile(path=f"{site}/{record}", read=partial(_record, wheel))


def _leads(wheel: Wheel) -> Iterator[PackageFile]:
    """Yield a file below share/cmake for each CMake package of a wheel, by which ``find_package`` comes to it."""
    seen = set[str]()
    for member in wheel.members() if wheel.name not in _NO_CMAKE_PACKAGES else ():
        found = _CMAKE_PACKAGE.fullmatch(posixpath.basename(member.path))
        if found is None or member.scheme != "site" or member.path.startswith(f"{INNER_PREFIX}/"):
            continue
        path = f"share/cmake/{found['name']}/{posixpath.basename(member.path)}"
        if path not in seen:
            seen.add(path)
            yield PackageFile(path=path, read=_LEAD.format(path=member.path).encode)


def _headers(wheel: Wheel) -> Iterator[PackageFile]:
    """Yield the headers of a wheel without compiled code where conda-forge has them, and what pkg-config says of them.

    pybind11-feedstock: ``include/pybind11``; the .pc file finds them from its own place.
    """
    for member in wheel.members():
        if member.scheme == "site" and (found := _IN_A_PACKAGE.fullmatch(member.path)):
            yield PackageFile(path=found[1], read=member.read)


def _file(member: Member, path: str) -> PackageFile:
    if member.scheme != "scripts":
        return PackageFile(path=path, read=member.read, executable=member.executable)
    shebang = f"#!{PLACEHOLDER}/bin/python".encode()
    text = member.read()
    changed = _SHEBANG.sub(shebang, text)
    return PackageFile(
        path=path, read=partial(bytes, changed), executable=True, has_placeholder=changed != text
    )


def _record(wheel: Wheel) -> bytes:
    """Return RECORD with INSTALLER and without what is not under site-packages."""
    rows = csv.reader(io.StringIO(wheel.text(f"{wheel.dist_info}/RECORD")))
    data = f"{wheel.dist_info.removesuffix('.dist-info')}.data/"
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerows(row for row in rows if row and not row[0].startswith(data))
    writer.writerow([f"{wheel.dist_info}/INSTALLER", "", ""])
    return target.getvalue().encode()


def _entry_points(scripts: list[tuple[str, str]]) -> Iterator[PackageFile]:
    for name, target in scripts:
        module, _, function = target.partition(":")
        text = _SCRIPT.format(
            placeholder=PLACEHOLDER, module=module, first=function.split(".")[0], function=function
        )
        yield PackageFile(path=f"bin/{name}", read=text.encode, executable=True, has_placeholder=True)


def _licenses(wheel: Wheel) -> dict[str, bytes]:
    prefixes = (f"{wheel.dist_info}/licenses/", f"{wheel.dist_info}/LICEN", f"{wheel.dist_info}/COPYING")
    return {
        member.path.removeprefix(f"{wheel.dist_info}/").removeprefix("licenses/"): member.read()
        for member in wheel.members()
        if member.path.startswith(prefixes)
    }


def _run_exports(wheel: Wheel) -> dict[str, tuple[str, ...]]:
    known = _KNOWN_RUN_EXPORTS.get(wheel.name)
    return {"weak": known(wheel)} if known else {}


def _numpy_run_exports(wheel: Wheel) -> tuple[str, ...]:
    """Return numpy-feedstock's: the oldest NumPy whose C API the headers target by default, to the next ABI.

    NumPy 2 says the former in numpyconfig.h; before it, an extension needed the NumPy it was compiled with.
    """
    header = wheel.text("numpy/_core/include/numpy/numpyconfig.h")
    found = re.search(r"#else.*?define NPY_FEATURE_VERSION NPY_(\d+)_(\d+)_API_VERSION", header, re.DOTALL)
    oldest = ".".join(found.groups()) if found else f"{wheel.version.major}.{wheel.version.minor}"
    return (f"numpy >={oldest},<{wheel.version.major + 1}",)


_KNOWN_RUN_EXPORTS: dict[str, Callable[[Wheel], tuple[str, ...]]] = {"numpy": _numpy_run_exports}
