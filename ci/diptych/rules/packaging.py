"""DIP5xx: what the package says of itself, and what it carries."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from diptych.output import human_size
from diptych.pythons import for_every_machine
from diptych.rules import conditions
from diptych.rules.evidence import CondaFacts, Damage, Evidence, Item
from diptych.rules.model import Finding, Severity, rule
from diptych.rules.names import without_hash
from diptych.system import is_system_library

_SHOWN = 5
_WORTH_TELLING = 1 << 20
_COMMON = frozenset(
    {"build", "doc", "docs", "example", "examples", "scripts", "test", "testing", "tests", "tools"}
)
_SITE = re.compile(r"lib/python3\.\d+t?/site-packages/")
_DATA = re.compile(r"[^/]+\.data/(\w+)/")
# conda-forge's names for the compilers' runtimes; "-ng" was dropped in 2024.
_RUNTIMES = {
    "libstdc++.so.6": {"libstdcxx", "libstdcxx-ng"},
    "libgcc_s.so.1": {"libgcc", "libgcc-ng"},
    "libgomp.so.1": {"libgomp", "_openmp_mutex", "libgcc", "libgcc-ng"},
    "libgfortran.so.5": {"libgfortran", "libgfortran5", "libgfortran-ng"},
    "libc++.1.dylib": {"libcxx"},
}


@rule(
    "DIP501", "binaries in a package for any machine", Severity.ERROR, conditions.packed, conditions.binaries
)
def pure_with_binaries(evidence: Evidence) -> Iterator[Finding]:
    """A wheel tagged `any`, marked purelib, or a `noarch` conda package has binaries inside.

    Why: it is installed on every system, and loads on one. A wheel's binaries that go to purelib (at its root with
    `Root-Is-Purelib: true`, or in `.data/purelib`) land in the wrong folder where purelib and platlib differ (Fedora); auditwheel
    refuses those of a folder called purelib. What lies in `.data/platlib`, `.data/data` or `.data/scripts` goes to its right place.

    Mend: let the build backend know of the extension (setuptools: `ext_modules` or `has_ext_modules`; scikit-build-core: leave
    `wheel.platlib` alone), and take `noarch` out of the recipe.

    Not seen: Windows binaries, and machine code in data files (`.npz`, `.jar`).

    Source: PEP 427; conda/conda-build#832, #3208; fonttools/fonttools#4073.
    """
    anywhere = any(tag.system == "any" for tag in evidence.platforms)
    noarch = evidence.conda is not None and _for_anything(evidence.conda, evidence)
    wrong = [item for item in evidence.items if anywhere or noarch or _to_purelib(item, evidence)]
    if not wrong:
        return
    modules = [item.label for item in wrong if item.module or item.binary.kind in {"shared", "bundle"}]
    places = modules or [item.label for item in wrong]
    what = "tagged any" if anywhere else "noarch" if noarch else "installed to purelib"
    severity = Severity.ERROR if evidence.modules and (anywhere or noarch) else Severity.DRIFT
    yield Finding(
        given=severity if modules else Severity.NOTE,
        place=places[0],
        message=f"{what}, with {len(places)} {'binary' if len(places) == 1 else 'binaries'} inside",
        evidence=tuple(places[:_SHOWN]),
        next_step="take noarch out of the recipe, and build it for each subdir" if noarch else "",
    )


def _to_purelib(item: Item, evidence: Evidence) -> bool:
    """Tell whether a wheel's member is installed to purelib (binary distribution format, "Installing a wheel")."""
    folder = _DATA.match(item.place)
    return folder[1] == "purelib" if folder else bool(evidence.purelib)


_LIBRARY_NAME = re.compile(r"\.(so|dylib|pyd|dll)(\.[\w.]+)?$")
_TEST_FOLDER = re.compile(r"(?:^|/)(?:tests?|testing|test_?data|examples?|fixtures?)/", re.IGNORECASE)


def _damage_weight(damage: Damage, evidence: Evidence) -> Severity:
    """What no loader reads, or is led to, may be as it is, and so may a test's own data."""
    if damage.partial:
        return Severity.DRIFT if damage.loaded else Severity.NOTE
    if evidence.kind == "file" or damage.place == evidence.target:
        return Severity.ERROR
    loaded = _LIBRARY_NAME.search(damage.place) or "." not in damage.place.rpartition("/")[2]
    return Severity.ERROR if loaded and not _TEST_FOLDER.search(damage.place) else Severity.NOTE


def _for_anything(conda: CondaFacts, evidence: Evidence) -> bool:
    """A package of the stable ABI is noarch: python in the subdir of its platform (CEP 20)."""
    pinned = any(item.module and item.module.python for item in evidence.modules)
    return bool(conda.noarch and pinned) or for_every_machine(
        noarch=conda.noarch, subdir=conda.subdir, depends=conda.depends
    )


@rule("DIP502", "damaged binary", Severity.ERROR, conditions.looked_into)
def damaged(evidence: Evidence) -> Iterator[Finding]:
    """A member that begins like a binary cannot be read as one.

    Why: it was cut off, overwritten, or made to look like one. The loader refuses it too, or worse, does not. What the loader does not
    read (section headers past the end, free text among the notes) is a note, since other tools stop there; a damaged
    symbol table is a drift, and all that needs no symbols is still said. A file that no loader is led to, by its name or because it is a test's data, is a note.

    Mend: build the package again; where it is a test file that is meant to be damaged, `--ignore DIP502`.

    Not seen: damage inside code or data that no table points to; files that do not begin like a binary; Windows binaries.

    Source: System V gABI; Apple, mach-o/loader.h.
    """
    for one in evidence.damaged:
        yield Finding(
            given=_damage_weight(one, evidence),
            place=one.place,
            message="a part cannot be read" if one.partial else "cannot be read",
            evidence=(one.problem,),
        )


@rule("DIP503", "needed library that is not used", Severity.DRIFT, conditions.elf)
def unused_needed(evidence: Evidence) -> Iterator[Finding]:
    """Not one symbol is bound to a needed library.

    Why: the linker was told of it and no `--as-needed` was on (Debian's gcc, unlike conda's, has it off in effect for what
    CMake exports). auditwheel then grafts the library and all that it needs; every import loads it.

    Mend: `-Wl,--as-needed` before the libraries, or `diptych relink --drop-unused` on what is built. A library that is wanted for
    its initialisers alone is rightly there.

    Not seen: libraries that are wanted for their initialisers alone; Mach-O; libraries that are not in the target.

    Source: ld(1), --as-needed; ldd(1), -u; conda/conda-build#3159.
    """
    cost: dict[str, int] = {}
    users: dict[str, list[str]] = defaultdict(list)
    for item in evidence.elf:
        for name in item.deep.unused:
            users[name].append(item.label)
            library = evidence.own_library(name)
            cost[name] = library.size if library and _grafted(library) else 0
    harmless: dict[str, list[str]] = {}
    for name, places in users.items():
        needed_by_others = any(
            name in item.binary.needed and name not in item.deep.unused for item in evidence.elf
        )
        if not cost[name] or needed_by_others:
            harmless[name] = places
            continue
        yield Finding(
            place=places[0],
            message=f"{without_hash(name)} is needed, but no symbol of it is used: {human_size(cost[name])} carried for nothing",
            evidence=tuple(f"NEEDED {name} in {place}" for place in places[:_SHOWN]),
        )
    if harmless:
        lines = [f"NEEDED {name} in {place}" for name, places in harmless.items() for place in places]
        first = next(iter(harmless))
        yield Finding(
            given=Severity.NOTE,
            place=harmless[first][0],
            message=f"{without_hash(first)} is needed, but no symbol of it is used"
            if len(harmless) == 1
            else f"{len(harmless)} libraries are needed, but no symbol of them is used",
            evidence=tuple(lines[:_SHOWN]),
        )


def _grafted(library: Item) -> bool:
    """Tell whether a library was copied in by a repair tool: one that the package itself offers is no dead weight."""
    return without_hash(library.place) != library.place.rpartition("/")[2] or ".libs/" in library.place


@rule("DIP504", "linked, but not depended on", Severity.DRIFT, conditions.binaries)
def not_depended_on(evidence: Evidence) -> Iterator[Finding]:
    """A conda package is linked to a library whose package is not among its run dependencies.

    Why: it works as long as something else brings the library (overlinking, in conda's words). An update of that other package
    takes it away: "cannot open shared object file".

    Mend: add the package to `host`, whose run exports then add the run dependency; or drop the library if it is not used.

    Not seen: of a package alone: libraries other than the compilers' runtimes. An environment is looked at as a whole.

    Source: conda-build, --error-overlinking; rattler-build, overlinking_behavior; conda-forge/conda-smithy#919.
    """
    if evidence.kind == "environment":
        yield from _undeclared(evidence)
    elif evidence.conda is not None:
        depends = _names(evidence.conda)
        for library, packages in _RUNTIMES.items():
            users = [item.label for item in evidence.items if library in _leaves(item)]
            if (
                users
                and not depends & packages
                and evidence.own_library(library) is None
                and evidence.name not in packages
            ):
                yield Finding(
                    place=users[0],
                    message=f"needs {library}, but depends on none of {', '.join(sorted(packages))}",
                    evidence=(f"depends: {', '.join(sorted(depends)) or 'nothing'}",),
                )


def _leaves(item: Item) -> set[str]:
    return {name.rpartition("/")[2] for name in item.binary.needed}


def _names(package: CondaFacts) -> set[str]:
    return {spec.split()[0] for spec in package.depends if spec.strip()}


def _links(evidence: Evidence) -> Mapping[str, dict[str, str]]:
    """Return package → package that it links to → one proof."""
    owners = {name: package.name for package in evidence.installed for name in package.files}
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for item in evidence.items:
        for entry in item.closure.wanted_by(item.closure.root) if item.closure and item.owner else ():
            owner = owners.get(evidence.inside(entry.path) or "") if entry.path else None
            if owner and owner != item.owner and not is_system_library(entry.name, item.binary.format):
                found[item.owner].setdefault(owner, f"{item.place} needs {entry.name} of {owner}")
    return found


def _undeclared(evidence: Evidence) -> Iterator[Finding]:
    packages = {package.name: package for package in evidence.installed}
    for name, links in _links(evidence).items():
        if name not in packages:
            continue
        direct = _names(packages[name])
        for owner, proof in links.items():
            if owner not in direct:
                reachable = owner in _reachable(name, packages)
                yield Finding(
                    given=Severity.NOTE if reachable else Severity.DRIFT,
                    place=proof.partition(" ")[0],
                    message=f"{name} links {owner}, "
                    + ("which only its dependencies bring" if reachable else "which nothing of it brings"),
                    evidence=(proof,),
                )


def _reachable(name: str, packages: Mapping[str, CondaFacts]) -> set[str]:
    found: set[str] = set()
    pending = [name]
    while pending:
        package = packages.get(pending.pop())
        for depended in _names(package) - found if package else ():
            found.add(depended)
            pending.append(depended)
    return found


@rule("DIP505", "depended on, but not linked", Severity.NOTE, conditions.environment)
def not_linked(evidence: Evidence) -> Iterator[Finding]:
    """A conda package depends on a package of libraries, and nothing of it links to these.

    Why: the dependency costs download and solver freedom (overdepending); it is often a run export of something that was needed for
    headers only. It may be used through `dlopen`, or by a command: then it is right.

    Mend: `ignore_run_exports`, or leave it out of `host`.

    Not seen: use by `dlopen` or by a command.

    Source: conda-build, --error-overdepending; rattler-build, overdepending_behavior.
    """
    packages = {package.name: package for package in evidence.installed}
    links = _links(evidence)
    binary_owners = {item.owner for item in evidence.items}
    for name, package in packages.items():
        if name not in binary_owners:
            continue
        for depended in sorted(_names(package) - set(links.get(name, ()))):
            other = packages.get(depended)
            if other is not None and _only_libraries(other, evidence):
                yield Finding(
                    message=f"{name} depends on {depended}, but links none of its libraries",
                    evidence=(f"depends: {', '.join(sorted(_names(package)))}",),
                )


def _only_libraries(package: CondaFacts, evidence: Evidence) -> bool:
    """Tell whether a package is there to be linked: it has libraries, and neither programs nor Python modules."""
    own = {item.place for item in evidence.items if item.owner == package.name}
    public = {place for place in own if place.startswith("lib/") and place.count("/") == 1}
    commands = any(name.startswith(("bin/", "lib/python")) for name in package.files)
    return bool(public) and not commands and not any(is_system_library(p[4:], "elf") for p in public)


@rule("DIP506", "names that are one file elsewhere", Severity.NOTE, conditions.packed)
def colliding_names(evidence: Evidence) -> Iterator[Finding]:
    """Two members differ in case or in Unicode form alone.

    Why: on macOS and Windows the second overwrites the first when the package is unpacked.

    Mend: rename one; harmless in a package for Linux alone.

    Not seen: names that collide with a file of another package.

    Source: CEP 34; Apple, APFS, "case-insensitive".
    """
    elsewhere = any(tag.system != "linux" for tag in evidence.platforms)
    for names in evidence.collisions:
        yield Finding(
            given=Severity.ERROR if elsewhere else Severity.NOTE,
            place=names[0],
            message=f"{len(names)} members are one file on macOS and Windows",
            evidence=names[:_SHOWN],
        )


@rule("DIP507", "debug information in the package", Severity.NOTE, conditions.packed, conditions.binaries)
def debug_information(evidence: Evidence) -> Iterator[Finding]:
    """Binaries carry DWARF.

    Why: it is often most of their size, and users do not need it.

    Mend: install stripped (`cmake --install --strip`, `auditwheel repair --strip`: it strips before patching, as is right), and keep
    the information in a file of its own.

    Not seen: debug information in files of its own (`.debug`, `.dSYM`).

    Source: strip(1); pypa/auditwheel#722.
    """
    sizes: list[tuple[int, str]] = []
    for item in evidence.items:
        debug = sum(one.size for one in item.binary.sections if one.stored and "debug_" in one.name)
        if debug:
            sizes.append((debug, item.label))
    total = sum(size for size, _ in sizes)
    if total >= _WORTH_TELLING:
        sizes.sort(reverse=True)
        yield Finding(
            place=sizes[0][1],
            message=f"{human_size(total)} of debug information in {len(sizes)} binaries",
            evidence=tuple(f"{human_size(size):>8}  {place}" for size, place in sizes[:_SHOWN]),
        )


@rule("DIP508", "folder that many packages have", Severity.DRIFT, conditions.packed)
def common_folder(evidence: Evidence) -> Iterator[Finding]:
    """A package installs Python files of a folder such as `tests` or `docs` at the top of site-packages.

    Why: other packages do the same. The later one overwrites the files of the earlier, removing one removes files of the other,
    and `import tests` finds a stranger's instead of a project's own.

    Mend: leave them out (setuptools: `[tool.setuptools.packages.find]` with `include = ["mypackage*"]`), or move them into the package.

    Not seen: a common folder with data alone; other names that two packages share.

    Source: packaging.python.org, "Package Discovery and Namespace Packages"; setuptools, "Package Discovery", "Flat-layout".
    """
    if evidence.name in _COMMON:
        return
    found: dict[str, str] = defaultdict(str)
    for name in evidence.members:
        top, _, rest = (
            _SITE.sub("", name).partition("/")
            if evidence.kind == "wheel" or _SITE.match(name)
            else ("", "", "")
        )
        if top in _COMMON and rest.endswith(".py"):
            found[top] = found[top] or name
    for top, example in sorted(found.items()):
        yield Finding(place=top, message=f"{top}/ goes to the top of site-packages", evidence=(example,))
