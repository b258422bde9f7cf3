"""DIP7xx: libraries of which a process should have one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from diptych.output import human_size
from diptych.rules import conditions
from diptych.rules.evidence import Evidence, Item
from diptych.rules.model import Finding, Severity, rule
from diptych.rules.names import boost_python, libpython, stem, without_hash

_OPENMP = {"libgomp": "GNU", "libiomp5": "Intel", "libomp": "LLVM"}
_BLAS = {
    "libopenblas": "OpenBLAS",
    "libscipy_openblas": "OpenBLAS",
    "libmkl_rt": "MKL",
    "libmkl_core": "MKL",
    "libblis": "BLIS",
    "libatlas": "ATLAS",
}
_RUNTIMES = {"libstdc++", "libgcc_s", "libc++", "libc++abi", "libsupc++", "libunwind", "libcxxrt"}
# libc++ on Linux is on no system by itself: a wheel must bring it.
_GRAFTED = {"elf": {"libstdc++", "libgcc_s"}, "macho": {"libstdc++", "libgcc_s", "libc++", "libc++abi"}}
_SHOWN = 5
_WORTH_TELLING = 1 << 18
_TELLING = 8  # shorter names are whole names: libomp is not the beginning of libompl


def _kind_of(name: str, table: dict[str, str]) -> str:
    """Return what a library is: by its stem, or the beginning of it (``libopenblas64_p-r0``)."""
    found = stem(name)
    for key in sorted(table, key=len, reverse=True):
        if found == key or (len(key) >= _TELLING and found.startswith(key)):
            return table[key]
    return ""


def _runtimes(evidence: Evidence, table: dict[str, str]) -> dict[str, list[str]]:
    """Return kind → the files that are it, or the names under which it is taken from outside."""
    found: dict[str, list[str]] = defaultdict(list)
    for item in evidence.items:
        if item.binary.kind == "shared" and not item.module and (kind := _kind_of(item.place, table)):
            found[kind].append(f"{item.place}{f' (from {item.owner})' if item.owner else ''}")
    for item in evidence.items:
        for name in item.binary.needed:
            kind = _kind_of(name, table)
            outside = evidence.own_library(name) is None and name.rpartition("/")[2] not in evidence.links
            line = f"{name.rpartition('/')[2]} from outside"
            if kind and outside and evidence.kind != "environment" and line not in found[kind]:
                found[kind].append(line)
    return {kind: list(dict.fromkeys(places)) for kind, places in found.items() if places}


def _several(evidence: Evidence, table: dict[str, str], what: str) -> Iterator[Finding]:
    found = _runtimes(evidence, table)
    places = [f"{kind}: {place}" for kind, files in sorted(found.items()) for place in files]
    if len(places) > 1:
        kinds = f"{len(found)} different" if len(found) > 1 else "of one kind"
        yield Finding(
            given=Severity.DRIFT if len(found) > 1 or evidence.kind == "environment" else Severity.NOTE,
            message=f"{len(places)} {what} runtimes, {kinds}",
            evidence=(
                *places[:_SHOWN],
                *([f"and {len(places) - _SHOWN} more"] if len(places) > _SHOWN else []),
            ),
        )


@rule("DIP701", "two OpenMP runtimes", Severity.DRIFT, conditions.binaries)
def openmp_twice(evidence: Evidence) -> Iterator[Finding]:
    """More than one OpenMP runtime can be loaded into the process.

    Why: each has a thread pool of its own: oversubscription at least; LLVM's and Intel's stop the process ("OMP: Error #15"), and
    mixing with GNU's can hang after a fork. Grafted copies have a hash in their name, which hides them.

    Mend: link one runtime throughout; don't graft it (`auditwheel repair --exclude libgomp.so.1`) where a dependency has it; conda:
    `_openmp_mutex`.

    Not seen: runtimes that another package brings, unless an environment is looked at; static copies.

    Source: joblib/threadpoolctl#41; tesseract-robotics/tesseract_nanobind#136.
    """
    yield from _several(evidence, _OPENMP, "OpenMP")


@rule("DIP702", "two BLAS libraries", Severity.DRIFT, conditions.binaries)
def blas_twice(evidence: Evidence) -> Iterator[Finding]:
    """More than one BLAS implementation can be loaded into the process.

    Why: each starts its own threads, and symbols of one may be bound to the other. Wheels of NumPy and SciPy have one each by
    design, with renamed symbols; beside a conda BLAS that makes three.

    Mend: in a conda environment install NumPy and SciPy from the channel, not by pip; limit threads with threadpoolctl.

    Not seen: As for DIP701.

    Source: joblib/threadpoolctl, "multiple OpenBLAS"; numpy documentation, "BLAS and LAPACK".
    """
    yield from _several(evidence, _BLAS, "BLAS")


@rule("DIP703", "C++ runtime grafted", Severity.DRIFT, conditions.wheel)
def grafted_runtime(evidence: Evidence) -> Iterator[Finding]:
    """A wheel carries its own libstdc++, libgcc_s or libc++.

    Why: it is loaded beside the system's, which other modules use: exceptions and locales that cross between them crash
    (`std::codecvt`, unwinding). Policies expect libstdc++ and libgcc_s on every glibc system, so nothing should graft them.

    Mend: compile with a toolchain whose symbols the tag's policy admits (DIP401), so that the system's own will do; musllinux wheels
    must carry them and are not reported.

    Not seen: a runtime that was linked statically: DIP705 speaks of it.

    Source: pypa/auditwheel#616; pypa/manylinux#118; lief-project/LIEF#704; serapeum-org/pyramids#332.
    """
    if "musllinux" in evidence.families:
        return
    for item in evidence.items:
        if item.binary.kind == "shared" and stem(item.place) in _GRAFTED[item.binary.format]:
            # gfortran's libraries need libgcc_s, which no Mac has: grafting it is the only way there.
            fortran = item.binary.format == "macho" and stem(item.place) == "libgcc_s"
            yield Finding(
                given=Severity.NOTE if fortran else None,
                place=item.label,
                message=f"carries {without_hash(item.place)} ({human_size(item.size)})",
                evidence=tuple(f"needed by {place}" for place in _users(item, evidence)[:_SHOWN]),
            )


@rule("DIP705", "C++ runtime linked statically and exported", Severity.DRIFT, conditions.binaries)
def exported_runtime(evidence: Evidence) -> Iterator[Finding]:
    """A binary has libstdc++, libc++ or an unwinder inside, and exports its symbols.

    Why: `-static-libstdc++` alone leaves the archive's symbols in the dynamic table. Libraries that are loaded with the module are then
    bound to its copy, others to the system's: locales, streams and exceptions that cross between the two crash. Instantiations of
    `std::` templates, which every C++ file has, are no sign of it and are not counted.

    Mend: link the shared libstdc++ and take an older toolchain (or a toolset that adds newer parts only); or keep the copy to
    itself: `-static-libstdc++ -static-libgcc -Wl,--exclude-libs,ALL`, or a version script that exports `PyInit_*` alone.

    Not seen: a static copy that is not exported: DIP709 speaks of it.

    Source: GCC manual, "-static-libstdc++"; ld(1), "--exclude-libs"; lief-project/LIEF#704; pypa/manylinux#118;
    llm-d/llm-d-kv-cache#550.
    """
    holders = [item for item in evidence.items if item.deep.cxx_runtimes and _absorbs(item)]
    needed = {stem(name) for item in evidence.items for name in item.binary.needed}
    for item in holders:
        runtimes = item.deep.cxx_runtimes
        alone = len(holders) == 1 and not needed & {"libstdc++", "libc++"}
        yield Finding(
            given=Severity.NOTE if alone else None,
            place=item.label,
            message=f"exports {' and '.join(runtimes)} from inside",
            evidence=tuple(
                f"defines {', '.join(symbols[:3])}{f' and {len(symbols) - 3} more' if symbols[3:] else ''}"
                for symbols in runtimes.values()
            ),
        )


@rule("DIP709", "C++ runtime hidden inside, beside another", Severity.DRIFT, conditions.elf)
def hidden_runtime(evidence: Evidence) -> Iterator[Finding]:
    """A binary has libstdc++ or libc++ inside, hidden, and is linked with one that uses another copy.

    Why: each copy has its own exceptions in flight and its own locales. A library that rethrows what the other has caught (`throw;`, as
    translators of exceptions do) finds nothing in flight and ends the process: "terminate called without an active exception". Streams, locales
    and regular expressions that cross between the copies crash. Every static check passes, which is how such wheels get a tag below what
    their code needs.

    Mend: link one libstdc++ throughout, the system's, with a toolchain whose symbols the tag's policy admits (an image of manylinux, a
    compiler of the channel); or put both binaries into one. With Zig, which always links libc++ statically, link libraries of your own statically too.

    Not seen: binaries of other packages that C++ objects go to and come from; a copy without exceptions; Mach-O.

    Source: Itanium C++ ABI, "Exception handling", 2.2.2 (caught exceptions of a thread); GCC manual, "-static-libgcc"; an experiment of
    tests/integration/test_rules_experiments.py that ends so; serapeum-org/pyramids#332, #338, #340; llm-d/llm-d-kv-cache#550.
    """
    inside = [item for item in evidence.elf if item.deep.cxx_inside and _absorbs(item)]
    reached = {id(item): _own_libraries(item, evidence) for item in evidence.elf} if inside else {}
    for item in inside:
        if item.deep.cxx_runtimes:
            continue  # exported: DIP705
        others = [
            other
            for other in evidence.elf
            if id(other) in reached[id(item)] or id(item) in reached[id(other)]
            if other is not item and _absorbs(other)
        ]
        beside = [line for other in others if (line := _copy_of(other))]
        if beside:
            yield Finding(
                place=item.label,
                message="a C++ runtime is inside and hidden, and what it is linked with uses another",
                evidence=(
                    *beside[:_SHOWN],
                    *([f"and {len(beside) - _SHOWN} more"] if len(beside) > _SHOWN else []),
                ),
            )


def _own_libraries(item: Item, evidence: Evidence) -> set[int]:
    """Return the identities of the target's libraries that a binary needs, directly or by way of others."""
    found: set[int] = set()
    waiting = [item]
    while waiting:
        for name in waiting.pop().binary.needed:
            library = evidence.own_library(name)
            if library is not None and id(library) not in found:
                found.add(id(library))
                waiting.append(library)
    return found


def _copy_of(item: Item) -> str:
    """Say which C++ runtime a binary uses, or nothing where it uses none."""
    shared = next((name for name in item.binary.needed if stem(name) in {"libstdc++", "libc++"}), "")
    if shared:
        return f"{item.label}: needs {shared.rpartition('/')[2]}"
    return f"{item.label}: has one of its own inside" if item.deep.cxx_inside else ""


def _absorbs(item: Item) -> bool:
    """A program may hold what it likes, and the runtimes themselves define their own symbols."""
    return (
        item.binary.kind in {"shared", "bundle"} and stem(item.binary.soname or item.place) not in _RUNTIMES
    )


def _users(library: Item, evidence: Evidence) -> list[str]:
    name = library.place.rpartition("/")[2]
    return [
        item.label
        for item in evidence.items
        if any(needed.rpartition("/")[2] in {name, library.binary.soname} for needed in item.binary.needed)
    ]


@rule("DIP704", "one library twice", Severity.DRIFT, conditions.binaries)
def library_twice(evidence: Evidence) -> Iterator[Finding]:
    """Two files of a package are the same library, when hashes in their names are undone.

    Why: with different SONAMEs both are loaded: state is there twice (registries, singletons, allocators), and the package is larger than
    it must be. With equal SONAMEs the one that is loaded first serves all, whatever run paths
    say, except to those who open another of them by its path: so do version links that a wheel made whole files of.

    Mend: let every module need one file; exclude the library from grafting where the package has it already.

    Not seen: copies in other packages, and static ones.

    Source: ld.so(8), SONAME matching; pypa/auditwheel#76, #391; pypa/wheel#400; experiment X5.
    """
    if not evidence.packed:
        return
    groups: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for item in evidence.items:
        name = item.binary.soname or item.place
        library = (
            item.binary.kind == "shared" and not item.module and without_hash(item.place).startswith("lib")
        )
        if library and not libpython(item.place) and boost_python(item.place) is None:
            groups[without_hash(name), item.binary.machine].append(item)
    links: list[Item] = []
    for (name, _), items in groups.items():
        copies = _one_for_each_name(items)
        if len(copies) == 1:
            links += [item for item in items if item not in copies]
        if len(copies) > 1:
            yield Finding(
                place=copies[0].label,
                message=f"{name} is there {len(copies)} times",
                evidence=tuple(f"{human_size(item.size):>8}  {item.place}" for item in copies[:_SHOWN]),
            )
    if links:
        size = sum(item.size for item in links)
        one = "library is" if len(links) == 1 else "libraries are"
        yield Finding(
            place=links[0].label,
            message=f"{len(links)} {one} stored again under another name: {human_size(size)}",
            evidence=tuple(f"{human_size(item.size):>8}  {item.place}" for item in links[:_SHOWN]),
            next_step="wheels hold no links: ship each library under its SONAME alone",
        )


def _one_for_each_name(items: list[Item]) -> list[Item]:
    """Leave out files of equal SONAME and build: they stand where links stood."""
    found: dict[tuple[str | None, str | None, int], Item] = {}
    for item in items:
        found.setdefault((item.binary.soname, item.binary.build_id, item.size), item)
    return list(found.values())


@rule("DIP706", "a wheel's library beside the environment's own", Severity.DRIFT, conditions.environment)
def grafted_beside(evidence: Evidence) -> Iterator[Finding]:
    """A library that was grafted into a wheel is there again, from a conda package of the same environment.

    Why: the copies have different names to the loader, so both are loaded: types, registries and allocators of one are strangers to
    the other, and where versions differ, which symbols win depends on the order of imports. It comes of `pip install` over an
    environment that conda made.

    Mend: install the package from the channel, so that it shares the library; or leave the library to pip's world alone. Run
    `pip check`, and take one channel for all that shares C++ objects.

    Not seen: grafted libraries in folders that are not called `.libs` or `.dylibs`.

    Source: rapidsai/cudf#13596; apache/arrow#2637; pytorch/pytorch#22447.
    """
    others = {*_OPENMP, *_BLAS, *_RUNTIMES}  # DIP701 to DIP703 speak of these, DIP202 of Boost.Python
    owned: dict[tuple[str, str], Item] = {}
    for item in evidence.items:
        if item.owner and item.place.startswith("lib/lib") and item.place.count("/") == 1:
            owned.setdefault((stem(item.place), item.binary.machine), item)
    for item in evidence.items:
        name = stem(item.place)
        twin = owned.get((name, item.binary.machine))
        grafted = item.place.split("/")[-2:-1]
        if twin is None or not any(folder.endswith((".libs", ".dylibs")) for folder in grafted):
            continue
        if (
            item.owner == twin.owner
            or boost_python(item.place) is not None
            or _kind_of(name, dict.fromkeys(others, "x"))
        ):
            continue
        yield Finding(
            place=item.label,
            message=f"{name} is there from a wheel and from {twin.owner}",
            evidence=(
                f"{human_size(item.size):>8}  {item.place}",
                f"{human_size(twin.size):>8}  {twin.place}",
            ),
        )
