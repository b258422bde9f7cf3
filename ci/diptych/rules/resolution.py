"""DIP307 and DIP308: whether the loader finds, and whether what it finds will do."""

from __future__ import annotations

from collections.abc import Iterator

from diptych.closure import Loaded
from diptych.policy import manylinux, table_of
from diptych.rules import conditions
from diptych.rules.companions import nobody_brings, relied_on
from diptych.rules.evidence import Evidence, Item
from diptych.rules.model import Finding, Severity, rule
from diptych.rules.names import is_musl_library, libpython
from diptych.rules.reaching import Need, by_name, needs, roots
from diptych.rules.search_paths import SHOWN, several
from diptych.system import is_system_library

NOT_EVERYWHERE = {
    "libcrypt.so.1": "Fedora, RHEL 9 and Arch have libcrypt.so.2; no policy has it",
    "libnsl.so.1": "glibc builds it no more by default since 2.26 (Fedora 28); policies of old have it",
    "libthread_db.so.1": "debuggers use it, and minimal systems leave it out; no policy has it",
}
"""Parts of glibc that systems have dropped, though older ones all have them."""


@rule("DIP307", "needed library that cannot be found", Severity.ERROR, conditions.resolved)
def not_found(evidence: Evidence) -> Iterator[Finding]:
    """From its final place, a binary's needed library is found neither in the package nor on every system.

    Why: "cannot open shared object file", or "Library not loaded": the build tree had a run path that installation stripped, or the
    library lies on the build machine alone. A library is looked at where the modules that need it bring it in, since it inherits
    their DT_RPATH (under musl, which a musllinux tag means, their DT_RUNPATH as well). A conda package may take it from a run dependency, a wheel from a distribution that it requires: where names
    speak for that, it is a note or, for conda, left to the dependency. A module that the package imports only under `except ImportError`, or
    never, is a drift.

    Mend: set INSTALL_RPATH (`$ORIGIN/…`, `@loader_path/…`), graft the library (auditwheel, delocate), or add the dependency. With
    `diptych doctor --with SIBLING…` the packages that it relies on are laid beside it, and it is decided.

    Not seen: libraries opened by `dlopen` at run time; what a run dependency of a conda package holds, unless it is laid beside
    by `--with`; imports by `importlib` and from other packages; the order in which modules are imported, which can let one find what another has loaded; LD_LIBRARY_PATH of a
    user.

    Source: pybind/cmake_example#18; scikit-build/scikit-build#503; AcademySoftwareFoundation/OpenColorIO#1846; closure
    semantics: ld.so(8), dyld(1).
    """
    missing = (need for need in needs(evidence) if need.entry.missing and not _excused(need, evidence))
    alone = _only_roots_fail(evidence)
    for name, wanting in by_name(missing).items():
        weighed = [(_weight(need, evidence, alone=alone), need) for need in wanting]
        severity = min((one for one, _ in weighed), key=lambda one: one.rank)
        worst = [need for one, need in weighed if one is severity]
        yield _not_found(name, severity, worst, evidence)


def _not_found(name: str, severity: Severity, wanting: list[Need], evidence: Evidence) -> Finding:
    item, entry = wanting[0].item, wanting[0].entry
    near = evidence.own_library(name)
    reason = f"; {near.place} has that name, but no search leads there" if near else ""
    whom = relied_on(entry, evidence) if severity is Severity.NOTE else ""
    loader = evidence.preloaded.get(near.place, "") if near and severity is Severity.NOTE else ""
    if loader:
        reason = f"; {loader} has loaded {near.place if near else name} before"
    elif whom:
        reason = f": left to {whom}, which it requires"
    elif name in NOT_EVERYWHERE:
        reason = f": {NOT_EVERYWHERE[name]}"
    asking = dict.fromkeys(need.item.label for need in wanting)
    affected = dict.fromkeys(need.root.label for need in wanting if need.root.label not in asking)
    return Finding(
        given=severity,
        place=item.label,
        message=f"{name} is not {'on every system' if name in NOT_EVERYWHERE and not near else 'found'}{reason}",
        evidence=(
            *several(list(asking)),
            *(f"then {label} cannot be loaded" for label in list(affected)[:SHOWN]),
            *(
                evidence.optional[need.root.place]
                for need in wanting[:1]
                if need.root.place in evidence.optional
            ),
            *_searched(entry),
        ),
        next_step=_next_step(severity, entry, whom, loader, conda=evidence.kind == "conda" and near is None),
    )


def _next_step(severity: Severity, entry: Loaded, whom: str, loader: str, *, conda: bool) -> str:
    leaf = entry.name.rpartition("/")[2]
    steps = {
        "the file that the search ends at is refused by the loader": entry.found_by.value == "damaged",
        "graft it (auditwheel repair), or depend on the package that has it": entry.name in NOT_EVERYWHERE,
        f"a name with a slash never uses a run path: patchelf --replace-needed {entry.name} {leaf}, "
        "and a run path that leads there": (leaf != entry.name and not entry.name.startswith("@")),
        f"diptych doctor --with {whom.partition(',')[0]}-….whl decides it": bool(whom),
        "keep that order of loading, or add a run path that leads there": bool(loader),
        "add the package that has it to host (its run export adds the run dependency), or to run": conda,
        "": severity is Severity.ERROR,
    }
    fitting = (step for step, fits in steps.items() if fits)
    return next(fitting, "see that what provides it is imported before, or is a dependency")


def _searched(entry: Loaded) -> tuple[str, ...]:
    looked = [tried.path for tried in entry.searched if tried.by.value in {"rpath", "runpath", "path"}]
    return tuple(f"looked at {path}: absent" for path in looked[:SHOWN])


def is_expected(name: str, item: Item, evidence: Evidence) -> bool:
    """Tell whether a needed library is one that every system has, or that another rule reports."""
    if name in NOT_EVERYWHERE:
        return False
    if evidence.packed and is_musl_library(name):
        return True  # DIP415 speaks of it
    if libpython(name) or is_system_library(name, item.binary.format):
        return True
    levels = [tag.level for tag in evidence.platforms if tag.level]
    tables = [table for level in levels if (table := table_of(level.family))]
    return item.binary.format == "elf" and any(table.lowest_for_library(name) for table in tables)


def _excused(need: Need, evidence: Evidence) -> bool:
    """What is expected, what another rule says, and what a run dependency may provide, are no findings."""
    entry, item = need.entry, need.item
    if is_expected(entry.name, item, evidence):
        return True
    if item.binary.format == "macho" and entry.name.startswith("/"):
        return True  # DIP606 speaks of these
    if evidence.own_library(entry.name) is not None:
        return False
    if evidence.conda is not None and not evidence.beside:
        return not nobody_brings(entry.name, evidence.conda)
    return item.binary.kind == "executable" and not evidence.packed


def _only_roots_fail(evidence: Evidence) -> bool:
    """Tell whether a package without modules has no library either that can be loaded: then it is there for ctypes, and fails."""
    if evidence.modules:
        return False
    loaded = [item for item in roots(evidence) if item.binary.kind in {"shared", "bundle"}]
    failing = {
        need.root.label for need in needs(evidence) if need.entry.missing and not _excused(need, evidence)
    }
    return bool(loaded) and {item.label for item in loaded} <= failing


def _weight(need: Need, evidence: Evidence, *, alone: bool) -> Severity:
    """Return how bad it is: what fails on import is an error, unless something that is required helps."""
    name, near = need.entry.name, evidence.own_library(need.entry.name)
    hard = (need.root.module is not None and need.root.place not in evidence.optional) or alone
    if near is not None and near.place in evidence.preloaded and need.root.binary.kind != "executable":
        return Severity.NOTE
    if name in NOT_EVERYWHERE and near is None:
        return Severity.DRIFT
    if evidence.kind == "conda":
        # X11, GL and GLib, which conda's core dependency trees (CDT) leave to the system, as manylinux does.
        system = manylinux().lowest_for_library(name) is not None
        return Severity.ERROR if hard and near is None and not system else Severity.DRIFT
    if evidence.kind != "wheel":
        return Severity.ERROR if evidence.kind == "environment" and hard else Severity.DRIFT
    if not evidence.beside and relied_on(need.entry, evidence):
        return Severity.NOTE
    unrepaired = any(tag.bare for tag in evidence.platforms)
    return Severity.ERROR if hard and not unrepaired else Severity.DRIFT


@rule(
    "DIP308",
    "symbol version that the found library lacks",
    Severity.ERROR,
    conditions.resolved,
    conditions.elf,
)
def version_not_provided(evidence: Evidence) -> Iterator[Finding]:
    """The library that the loader takes does not define a symbol version that a binary needs.

    Why: "version `GLIBCXX_3.4.30' not found": an older libstdc++ comes first, from the system, another environment, or a
    LD_LIBRARY_PATH.

    Mend: the environment's own library must be as new as the compiler (`libstdcxx`), and be found first; importing in another
    order only hides it.

    Not seen: libraries outside of the package: their versions are looked at on the machine itself only.

    Source: isl-org/Open3D#5531; kvcache-ai/ktransformers#524; pytroll/satpy#2203; ContinuumIO/anaconda-issues#483.
    """
    told: set[tuple[str, str, str | None]] = set()
    for need in needs(evidence):
        item, entry = need.item, need.entry
        key = (item.label, entry.name, entry.path)
        if entry.binary is None or not entry.binary.version_definitions or key in told:
            continue
        told.add(key)
        given = {definition.name for definition in entry.binary.version_definitions}
        wanted = {
            one.version
            for one in item.binary.version_needs
            if one.library == entry.name and one.flags != 2  # noqa: PLR2004
        }
        if missing := sorted(wanted - given):
            yield Finding(
                place=item.label,
                message=f"{entry.name} lacks {', '.join(missing[:3])}",
                evidence=(f"found at {entry.path}, by {entry.found_by.value}",),
            )
