"""DIP1xx: one interpreter in a process, and the right one."""

from __future__ import annotations

from collections.abc import Iterator

from diptych.pythons import STABLE
from diptych.rules import conditions
from diptych.rules.evidence import Evidence, Item
from diptych.rules.model import Finding, Severity, rule
from diptych.rules.names import PythonAbi, abi_of_tag, boost_python, libpython

_INTERPRETERS = {"python", "libpython", "libpython-static", "pypy", "graalpy", "python-freethreading"}


def _is_interpreter(item: Item, evidence: Evidence) -> bool:
    """Executables may embed; the library itself is what it is; conda's own python package ships both."""
    names = (item.place, item.binary.soname or "")
    if item.binary.kind == "executable" or any(libpython(name) for name in names):
        return True
    return item.owner in _INTERPRETERS or (evidence.kind == "conda" and evidence.name in _INTERPRETERS)


@rule("DIP101", "linked to libpython", Severity.ERROR, conditions.binaries)
def needs_libpython(evidence: Evidence) -> Iterator[Finding]:
    """An extension module, or a library that it loads, names libpython among its needed libraries.

    Why: an extension gets the C API from the interpreter that imports it. One that names libpython fails to load where the
    interpreter has none (conda, manylinux and uv builds are static), or brings a second interpreter into the process:
    "PyThreadState_Get: no current thread", or a crash at import. The t, d and td builds, libpython3.so and the
    macOS framework are the same mistake.

    Mend: in CMake ask for `find_package(Python COMPONENTS Interpreter Development.Module)` and link `Python::Module`, never
    `Python::Python` or PYTHON_LIBRARIES; on macOS add `-undefined dynamic_lookup`. On what is built already: `diptych relink
    --libpython drop`.

    Not seen: a libpython that is opened at run time (`dlopen`), and one behind a library that is not in the package.

    Source: PEP 513 (libpython is not on the list); pypa/auditwheel#589, #604; pypa/manylinux#30; openbabel/openbabel#1711;
    python/cpython#92158; experiment X1.
    """
    for item in evidence.items:
        named = [name for name in item.binary.needed if libpython(name)]
        if not named or _is_interpreter(item, evidence) or boost_python(item.place) is not None:
            continue  # of Boost.Python itself DIP208 speaks
        weight = Severity.ERROR if item.module or evidence.packed else Severity.DRIFT
        yield Finding(
            given=weight,
            place=item.label,
            message=f"{'extension module' if item.module else 'library'} linked to {named[0]}",
            evidence=tuple(_needed_line(name, item) for name in named),
        )


def _needed_line(name: str, item: Item) -> str:
    verb = "LC_LOAD_DYLIB" if item.binary.format == "macho" else "NEEDED"
    found = libpython(name)
    own = item.module.python if item.module else None
    if found is None or own is None or found.version in {"", own.version}:
        return f"{verb} {name}"
    return f"{verb} {name}: Python {found}, but the file is named for Python {own}"


@rule("DIP102", "libpython inside the package", Severity.ERROR, conditions.binaries)
def carries_libpython(evidence: Evidence) -> Iterator[Finding]:
    """The package carries a copy of libpython.

    Why: a repair tool followed a NEEDED entry and grafted an interpreter. Importing the package then starts a second one beside
    the first: two GILs, two sets of type objects. auditwheel leaves plain libpython out, but not the free-threaded (t), debug
    (d) and stable-ABI (libpython3.so) ones; delocate takes them all.

    Mend: don't link libpython (see DIP101); until then `auditwheel repair --exclude 'libpython3*'`, and drop the NEEDED entry.

    Not seen: a copy under a name that does not say libpython.

    Source: experiment X1; pypa/auditwheel#589 (its pattern in src/auditwheel/lddtree.py); ContinuumIO/anaconda-issues#9078.
    """
    if evidence.name in _INTERPRETERS:
        return
    for item in evidence.items:
        grafted = evidence.packed or ".libs/" in item.place or ".dylibs/" in item.place
        if (
            grafted
            and item.binary.kind != "executable"
            and libpython(item.place)
            and item.owner not in _INTERPRETERS
        ):
            users = [
                user.place for user in evidence.items if any(_same(name, item) for name in user.binary.needed)
            ]
            yield Finding(
                place=item.label,
                message=f"a second interpreter: {item.place.rpartition('/')[2]} ({item.size} bytes)",
                evidence=tuple(f"needed by {place}" for place in users[:5]),
            )


def _same(needed: str, item: Item) -> bool:
    return needed.rpartition("/")[2] in {item.place.rpartition("/")[2], item.binary.soname}


@rule("DIP103", "libpython statically absorbed", Severity.ERROR, conditions.binaries)
def absorbed_libpython(evidence: Evidence) -> Iterator[Finding]:
    """A binary that is no interpreter defines the interpreter's own objects.

    Why: the archive libpython3.x.a was linked in. The module then has type objects and a runtime state of its own: `isinstance` is false for
    what the interpreter made, reference counts and the GIL are another's, and it crashes later. Neither auditwheel nor
    delocate looks for it.

    Mend: link the module against nothing of Python (`Development.Module`); conda's host environment has a static libpython
    that older FindPython modules prefer. An application that really embeds Python is an executable.

    Not seen: an archive whose objects are all local and stripped of names.

    Source: pypa/auditwheel#23 (open); experiment X4.
    """
    for item in evidence.items:
        if item.deep.python_defined and not _is_interpreter(item, evidence):
            shown = item.deep.python_defined[:4]
            yield Finding(
                place=item.label,
                message=f"contains an interpreter: {len(item.deep.python_defined)} of its own objects are defined here",
                evidence=tuple(f"defines {name}, which must be undefined" for name in shown),
            )


@rule(
    "DIP104",
    "module named for another Python than the wheel",
    Severity.ERROR,
    conditions.wheel,
    conditions.modules,
)
def module_against_tag(evidence: Evidence) -> Iterator[Finding]:
    """An extension module's file name says another Python than the wheel's ABI tag.

    Why: the import system looks for the interpreter's own EXT_SUFFIX, `abi3` and plain `.so`; a `cpython-314` file is invisible
    to Python 3.11, so `pip install` works and `import` says ModuleNotFoundError. CMake found another Python than the one that
    builds the wheel, or an old build folder was used again. No wheel checker compares the two.

    Mend: pass the interpreter under the name that the project's CMake reads (`Python_EXECUTABLE`, `Python3_EXECUTABLE`,
    `PYTHON_EXECUTABLE`), and use a fresh build folder for each Python.

    Not seen: modules with a plain `.so` suffix: their name says no Python.

    Source: PEP 425, PEP 3149; pypa/cibuildwheel#2395; sogno-platform/dpsim#649; experiment X3.
    """
    wanted = {abi for tag in evidence.abi_tags if (abi := abi_of_tag(tag))}
    if not wanted:
        if not STABLE.isdisjoint(evidence.abi_tags):
            yield from _pinned_in_abi3(evidence)
        return
    importable = {item.module.name for item in evidence.modules if item.module and _fits(item, wanted)}
    for item in evidence.modules:
        module = item.module
        if module is None or _fits(item, wanted):
            continue
        spare = module.name in importable
        yield Finding(
            given=Severity.NOTE if spare else Severity.ERROR,
            place=item.label,
            message=f"for Python {module.python}, in a wheel for {', '.join(sorted(map(str, wanted)))}",
            evidence=(
                f"file name: {module.tag}",
                f"wheel tag: {'.'.join(evidence.python_tags)}-{'.'.join(evidence.abi_tags)}",
            ),
            next_step="leave it out: another file serves this Python" if spare else "",
        )


def _fits(item: Item, wanted: set[PythonAbi]) -> bool:
    """A plain .so or .abi3.so is found by every Python; abi3 files are not by free-threaded ones before 3.15."""
    return item.module is None or item.module.python is None or item.module.python in wanted


def _pinned_in_abi3(evidence: Evidence) -> Iterator[Finding]:
    stable = {item.module.name for item in evidence.modules if item.module and item.module.python is None}
    for item in evidence.modules:
        if item.module and item.module.python and item.module.name not in stable:
            yield Finding(
                place=item.label,
                message=f"for Python {item.module.python} alone, in an {'.'.join(evidence.abi_tags)} wheel",
                evidence=(
                    f"file name: {item.module.tag}",
                    f"wheel tag: {'.'.join(evidence.python_tags)}-{'.'.join(evidence.abi_tags)}",
                ),
                next_step="build the module with Py_LIMITED_API and the suffix .abi3.so, or tag the wheel for one Python",
            )


@rule(
    "DIP105",
    "module named for another Python than the conda package",
    Severity.ERROR,
    conditions.conda,
    conditions.modules,
)
def module_against_conda(evidence: Evidence) -> Iterator[Finding]:
    """An extension module's file name says another Python than the conda package's `python_abi`.

    Why: as for wheels: the interpreter that conda installs beside it does not see the file. With `python_abi` missing, the solver
    even pairs the package with any Python.

    Mend: build in the host environment's Python (`$PYTHON`), with `python` in `host`, and keep the run export of python_abi.

    Not seen: packages without `python_abi`, and modules with a plain `.so` suffix.

    Source: conda-forge knowledge base, "python_abi"; CEP 20; experiment X3.
    """
    wanted = conda_python(evidence)
    if wanted is None:
        return
    for item in evidence.modules:
        module = item.module
        if module and module.python and module.python != wanted and not _plugin_tree(item, module.python):
            yield Finding(
                place=item.label,
                message=f"for Python {module.python}, in a conda package for {wanted}",
                evidence=(f"file name: {module.tag}", f"python_abi of the package: {wanted.tag}"),
            )


def conda_python(evidence: Evidence) -> PythonAbi | None:
    """Return the Python of ``python_abi 3.11.* *_cp311``."""
    for spec in evidence.conda.depends if evidence.conda else ():
        words = spec.split()
        if words[0] == "python_abi" and len(words) == 3:  # noqa: PLR2004 -- name, version, build
            return abi_of_tag(words[2].rpartition("_")[2])
    return None


def _plugin_tree(item: Item, python: PythonAbi) -> bool:
    """A tree that belongs to another Python as a whole (``lib/python3.9/…``) is no mistake of one module."""
    return f"/python{python.version}/" in f"/{item.place}"


@rule(
    "DIP106", "free-threaded wheel without the free-threaded mark", Severity.DRIFT, conditions.free_threaded
)
def gil_slot(evidence: Evidence) -> Iterator[Finding]:
    """A module for free-threaded Python does not say that it works without the GIL.

    Why: the interpreter then turns the GIL on for the whole process at import ("The global interpreter lock (GIL) has been enabled
    to load module"), so the free-threaded build is worth nothing to its users.

    Mend: add `{Py_mod_gil, Py_MOD_GIL_NOT_USED}` to the module's slots, or call PyUnstable_Module_SetGIL; pybind11:
    `py::mod_gil_not_used()`; nanobind: FREE_THREADED; Cython: `freethreading_compatible=True`. Do so once the code is safe.

    Not seen: modules that make their slots at run time (pybind11), and 32-bit ones: nothing is said of them.

    Source: PEP 703; docs.python.org, "C API Extension Support for Free Threading".
    """
    for item in evidence.modules:
        if item.module and item.module.python and "t" in item.module.python.flags and item.deep.gil is False:
            yield Finding(
                place=item.label,
                message="turns the GIL on when imported",
                evidence=("no slot (Py_mod_gil, Py_MOD_GIL_NOT_USED), no PyUnstable_Module_SetGIL",),
            )
