"""DIP2xx: Boost.Python, pybind11, nanobind: libraries that keep a registry between modules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from diptych.rules import conditions
from diptych.rules.evidence import Evidence, Item
from diptych.rules.model import Finding, Severity, rule
from diptych.rules.names import abi_of_tag, boost_python, libpython


def _boost_users(evidence: Evidence) -> Iterator[tuple[Item, str, str]]:
    """Yield each binary that needs a Boost.Python, with the needed name and its digits."""
    for item in evidence.items:
        for name in item.binary.needed:
            digits = boost_python(name)
            if digits is not None:
                yield item, name, digits


@rule("DIP201", "Boost.Python of another Python", Severity.ERROR, conditions.boost)
def boost_digits(evidence: Evidence) -> Iterator[Finding]:
    """A module is linked to the Boost.Python library of another Python version.

    Why: libboost_python311 is compiled against Python 3.11's headers. In another Python it fails at import with undefined symbols
    (PyClass_Type, …), or corrupts objects whose layout changed. It happens where a system or another environment's
    Boost is found first, or a component name is written by hand.

    Mend: ask for `Boost::python${Python_VERSION_MAJOR}${Python_VERSION_MINOR}` from the host environment, with
    `libboost-python-devel` in `host`, pinned for each Python.

    Not seen: a Boost.Python without digits in its name, and one that is linked statically.

    Source: ContinuumIO/anaconda-issues#316, #9029; conda-forge/boost-feedstock#21, #117, #165.
    """
    tags = {abi.version.replace(".", "") for tag in evidence.abi_tags if (abi := abi_of_tag(tag))}
    for item, name, digits in _boost_users(evidence):
        python = item.module.python if item.module else None
        wanted = {python.version.replace(".", "")} if python else tags
        if len(digits) > 1 and wanted and digits not in wanted:
            yield Finding(
                place=item.label,
                message=f"linked to {name}, but made for Python {_dotted(min(wanted))}",
                evidence=(f"needs {name}: Boost.Python for Python {_dotted(digits)}",),
            )


def _dotted(digits: str) -> str:
    return f"{digits[0]}.{digits[1:]}"


def _registries(evidence: Evidence) -> Mapping[str, list[Item]]:
    """Boost.Python libraries by their Python: each has a registry of its own."""
    found: dict[str, list[Item]] = defaultdict(list)
    for item in evidence.items:
        digits = boost_python(item.place)
        if digits is not None and item.binary.kind == "shared":
            found[digits].append(item)
    return found


@rule("DIP202", "two copies of Boost.Python", Severity.ERROR, conditions.boost)
def boost_twice(evidence: Evidence) -> Iterator[Finding]:
    """Two shared Boost.Python libraries for one Python can meet in a process.

    Why: each copy has a converter registry. A type registered in one is unknown to the other: "No to_python (by-value) C++
    converter found for C++ type", or "already registered; second conversion method ignored". Grafting gives every wheel
    a copy under a hashed name, so two wheels, or a wheel beside conda's library, have one each.

    Mend: within one package use one copy. Between packages that exchange C++ objects, depend on one package that owns the
    library instead of grafting it.

    Not seen: copies in other packages, unless an environment is looked at.

    Source: rdkit/rdkit#667; ledger/ledger#513; boostorg/python#56.
    """
    for digits, copies in _registries(evidence).items():
        # Files with one SONAME are one library to the loader: wheels store links as copies.
        by_name = {item.binary.soname or item.place: item for item in copies}
        if len(by_name) > 1:
            yield Finding(
                given=Severity.ERROR if evidence.packed else Severity.DRIFT,
                message=f"{len(by_name)} copies of Boost.Python for Python {_dotted(digits) if digits else '?'}",
                evidence=tuple(_owned(item) for item in by_name.values()),
            )


def _owned(item: Item) -> str:
    return f"{item.place} (from {item.owner})" if item.owner else item.place


@rule("DIP203", "Boost.Python linked statically into several modules", Severity.ERROR, conditions.boost)
def boost_static(evidence: Evidence) -> Iterator[Finding]:
    """More than one module has a static Boost.Python, or one has it beside the shared library.

    Why: the converter registry is then there once for each of them: types cross from one module to another as strangers
    ("No to_python (by-value) C++ converter found").

    Mend: link all modules of a package to one shared libboost_python (`set(Boost_USE_STATIC_LIBS OFF)`); a single module that
    shares no types may keep a static one.

    Not seen: a static copy whose symbols are hidden and therefore not in the dynamic table.

    Source: rdkit/rdkit#667; boostorg/python#56; Boost.Python documentation, "Building and Testing".
    """
    static = [
        item for item in evidence.items if item.deep.boost_registry and boost_python(item.place) is None
    ]
    shared = [copy for copies in _registries(evidence).values() for copy in copies]
    if len({item.place for item in static}) > 1 or (static and shared):
        yield Finding(
            given=Severity.ERROR if evidence.kind != "environment" else Severity.DRIFT,
            message=f"{len(static) + len(shared)} converter registries in one package",
            evidence=(
                *(f"{item.place} defines {item.deep.boost_registry[0]}" for item in static),
                *(f"{item.place} is another registry" for item in shared),
            ),
        )


@rule(
    "DIP204",
    "Boost.Python from outside",
    Severity.ERROR,
    conditions.environment,
    conditions.resolved,
    conditions.boost,
)
def boost_stranger(evidence: Evidence) -> Iterator[Finding]:
    """A module takes its Boost.Python from outside of the environment that it is installed in.

    Why: that one was compiled for the system's Python, by the system's compiler, and changes with the system. It works on this
    machine and for this Python by chance.

    Mend: link to the environment's own library and give it a run path into it: `diptych relink --for conda`.

    Not seen: packages before they are installed: only an environment says what is taken from outside.

    Source: ContinuumIO/anaconda-issues#9029; lcit/ext3DLBP#2.
    """
    for item in evidence.items:
        for entry in item.closure.wanted_by(item.closure.root) if item.closure else ():
            outside = entry.path is not None and evidence.inside(entry.path) is None
            if outside and boost_python(entry.name) is not None:
                yield Finding(
                    place=item.label,
                    message=f"{entry.name} comes from outside of the environment",
                    evidence=(f"found at {entry.path}, by {entry.found_by.value}",),
                )


@rule("DIP205", "Boost.Python of another C++ standard library", Severity.ERROR, conditions.boost)
def boost_library_kind(evidence: Evidence) -> Iterator[Finding]:
    """A module and its Boost.Python are made for different C++ standard libraries.

    Why: libstdc++ and libc++ have different types under different mangled names (std::__cxx11 against std::__1); converters for
    std::string and all that throws across the border fail, or the import ends with an undefined symbol.

    Mend: compile both with one compiler and one standard library; with clang on Linux leave out `-stdlib=libc++`.

    Not seen: modules that need no C++ library by name, and two versions of one library.

    Source: PDAL/python#16; conda/conda#7556; libc++ documentation, "ABI Guarantees".
    """
    for item, name, _ in _boost_users(evidence):
        library = evidence.own_library(name)
        mine, other = _standard_library(item), _standard_library(library) if library else ""
        if library and mine and other and mine != other:
            yield Finding(
                place=item.label,
                message=f"uses {mine}, its Boost.Python {other}",
                evidence=(f"{library.place} needs {other}", f"compilers: {_tools(item)} / {_tools(library)}"),
            )


def _standard_library(item: Item) -> str:
    names = {name.rpartition("/")[2].split(".")[0].split("-")[0] for name in item.binary.needed}
    return next((kind for kind in ("libstdc++", "libc++") if kind in names), "")


def _tools(item: Item) -> str:
    return ", ".join(item.binary.build_tools[:2]) or "unknown"


@rule("DIP206", "symbols that its Boost.Python does not have", Severity.ERROR, conditions.boost)
def boost_symbols(evidence: Evidence) -> Iterator[Finding]:
    """A module wants Boost.Python symbols that the library beside it does not define.

    Why: the two come from different Boost versions, another C++ ABI (`_GLIBCXX_USE_CXX11_ABI`), or another compiler: the import
    ends with "undefined symbol: _ZN5boost6python…".

    Mend: rebuild against the library that is shipped; one `_GLIBCXX_USE_CXX11_ABI` for all of a package.

    Not seen: a Boost.Python that is not in the same package or environment.

    Source: ContinuumIO/anaconda-issues#316; conda-forge/boost-feedstock#21.
    """
    for item, name, _ in _boost_users(evidence):
        library = evidence.own_library(name)
        if library is None or not library.deep.boost_given:
            continue
        given = frozenset().union(
            *(one.deep.boost_given for one in evidence.items),
            *(one.deep.boost_registry for one in evidence.items),
        )
        missing = sorted(item.deep.boost_wanted - given)
        if missing:
            yield Finding(
                place=item.label,
                message=f"{len(missing)} symbols are not in {library.place}",
                evidence=tuple(f"undefined: {symbol}" for symbol in missing[:4]),
            )


@rule("DIP207", "modules with different pybind11 or nanobind internals", Severity.DRIFT, conditions.modules)
def internals_differ(evidence: Evidence) -> Iterator[Finding]:
    """Modules of one package keep their pybind11 or nanobind types under different identifiers.

    Why: modules share types only when version, compiler, standard library and build type in the identifier are equal. Otherwise a
    type of one is unknown to the other: "Unable to convert function return value to a Python type".

    Mend: build all modules of a package with one version of the binding library and one compiler; between packages pin
    `pybind11-abi`. Modules that share nothing can stay as they are.

    Not seen: modules of other packages, and identifiers that an optimiser has broken up.

    Source: pybind/pybind11#3751, #3793; wjakob/nanobind#778, #1140; conda-forge/pytorch-cpu-feedstock#413.
    """
    if evidence.kind == "environment":
        return
    for layer in ("__pybind11_internals_", "__nb_internals_"):
        found: dict[str, list[str]] = defaultdict(list)
        for item in evidence.items:
            for name in item.deep.internals:
                if name.startswith(layer):
                    found[f"{name} on {item.binary.machine}"].append(item.place)
        machines = {key.rpartition(" on ")[2] for key in found}
        for machine in machines:
            kinds = {key: places for key, places in found.items() if key.endswith(f" on {machine}")}
            if len(kinds) > 1:
                yield Finding(
                    message=f"{len(kinds)} kinds of internals: {layer.strip('_').partition('_')[0]} types are not shared",
                    evidence=tuple(
                        f"{key.rpartition(' on ')[0]}: {places[0]}{f' and {len(places) - 1} more' if places[1:] else ''}"
                        for key, places in sorted(kinds.items())
                    ),
                )


@rule(
    "DIP208", "binding layer linked to another libpython than the module's", Severity.ERROR, conditions.boost
)
def boost_brings_python(evidence: Evidence) -> Iterator[Finding]:
    """The Boost.Python library itself names libpython.

    Why: MacPorts, Homebrew and Debian build libboost_python against a shared interpreter. Every module that loads it then loads that
    interpreter too, beside the one that is running.

    Mend: use the environment's own Boost.Python, or point the library at the right interpreter:
    `diptych relink --python PREFIX libboost_python311.dylib`.

    Not seen: a Boost.Python that is linked statically.

    Source: openbabel/openbabel#1711; conda-forge/conda-forge.github.io#778.
    """
    for item in evidence.items:
        named = [name for name in item.binary.needed if libpython(name)]
        if named and boost_python(item.place) is not None:
            yield Finding(
                place=item.label,
                message=f"brings {named[0]} into the process",
                evidence=(f"needs {named[0]}",),
            )
