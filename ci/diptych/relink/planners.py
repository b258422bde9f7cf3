"""Decide what each binary of a stage needs, for the wheel and for the conda package."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from diptych.binaries import Binary, find_binaries, read_file
from diptych.relink.plan import FilePlan, TreePlan
from diptych.siblings import siblings, site_of
from diptych.symbols import unused_needed

_GLIBC = "libc.so.6"


@dataclass(frozen=True, kw_only=True)
class Tree:
    """A stage about to be relinked.

    Attributes:
        root: its folder, laid out as site-packages or as a prefix.
        binaries: its binaries by relative name (the first slice of each: load commands are planned once).
        libraries: the folders of the libraries that it was linked against, in the order to look.
        prefix: the environment that it was linked in.
        siblings: libraries that other packages keep below site-packages, which stay there: file name → path relative to ``prefix``.
    """

    root: Path
    binaries: Mapping[str, Binary]
    libraries: tuple[Path, ...]
    prefix: Path = Path()
    siblings: Mapping[str, PurePosixPath] = field(default_factory=dict)

    def inside(self, needed: str) -> str | None:
        """Return the name of the tree's own binary that provides ``needed``, if there is one."""
        base = posixpath.basename(needed)
        for name, binary in self.binaries.items():
            if needed == binary.soname or base == posixpath.basename(name):
                return name
        return None

    def outside(self, needed: str) -> Path | None:
        """Return the library beside the tree that provides ``needed``, if there is one."""
        name = posixpath.basename(needed)
        sibling = self.siblings.get(name)
        paths = [folder / name for folder in self.libraries] + ([self.prefix / sibling] if sibling else [])
        return next((path for path in paths if path.is_file()), None)

    def sibling(self, needed: str) -> PurePosixPath | None:
        """Return where in the environment another package keeps ``needed`` below site-packages, if that is where it is from."""
        found = self.siblings.get(posixpath.basename(needed))
        own = found is not None and self.inside(needed) is None
        return found if found is not None and own and self.outside(needed) == self.prefix / found else None

    def sharing(self, names: Collection[str]) -> Tree:
        """Return the tree with these siblings alone; the others are libraries like those of any folder."""
        shared = {name: path for name, path in self.siblings.items() if name in names}
        others = [self.prefix / path.parent for name, path in self.siblings.items() if name not in names]
        return replace(self, siblings=shared, libraries=tuple(dict.fromkeys((*self.libraries, *others))))

    def split(self, folders: Collection[PurePosixPath]) -> tuple[Tree, Tree]:
        """Return the binaries of some folders, for which the others are libraries beside the tree, and those others."""
        inner = {
            name: binary
            for name, binary in self.binaries.items()
            if any(PurePosixPath(name).is_relative_to(folder) for folder in folders)
        }
        outer = {name: binary for name, binary in self.binaries.items() if name not in inner}
        beside = dict.fromkeys((self.root / name).parent for name in outer)
        return (
            replace(self, binaries=inner, libraries=(*beside, *self.libraries)),
            replace(self, binaries=outer),
        )


def read_tree(root: Path, *, prefix: Path) -> Tree:
    """Read the binaries of a stage.

    Raises:
        FormatError: one is damaged.
    """
    found = sorted(find_binaries(root))
    return Tree(
        root=root,
        binaries={path.relative_to(root).as_posix(): read_file(path, symbols=True)[0] for path in found},
        libraries=(prefix / "lib",),
        prefix=prefix,
        siblings=siblings(prefix),
    )


def plan_for_wheel(
    tree: Tree,
    *,
    kept: Collection[PurePosixPath] = (PurePosixPath(),),
    shared: Mapping[str, PurePosixPath] | None = None,
) -> TreePlan:
    """Plan the tree that auditwheel or delocate then grafts into: only what lies inside is pointed at.

    auditwheel leaves every run path alone when it has nothing to graft (experiment X2 of tests/integration/make_linkage_fixtures.py), so each binary's run
    path is set here, to what it needs from the wheel itself, or removed.

    Args:
        tree: the stage.
        kept: its folders that the wheel holds; libraries of the others are grafted as those of the environment are.
        shared: needed name → where the library lies in a sibling of the wheel, as relative as the tree's names.
    """
    plans = [_plan(part, "wheel", home=None, shared=shared or {}) for part in tree.split(kept)]
    files = sorted((one for plan in plans for one in plan.files), key=lambda one: one.name)
    return TreePlan(purpose="wheel", root=tree.root, files=tuple(files))


def plan_for_conda(tree: Tree, *, home: PurePosixPath) -> TreePlan:
    """Plan the tree for a conda package: the environment's libraries are found relative to each file.

    Args:
        tree: the stage.
        home: where the tree will be, relative to the prefix: ``lib/python3.11/site-packages``, or ``.``.
    """
    return _plan(tree, "conda", home=home)


def plan_for_source(tree: Tree, *, home: Path, folders: Sequence[Path]) -> TreePlan:
    """Plan copies of the tree for tests in source: everything is found by absolute run path, no variable is needed.

    Nothing is dropped: the tests are to load what was linked.

    Args:
        tree: the stage.
        home: the absolute folder that the copies will lie in.
        folders: where else libraries are, in the order to look.
    """
    files = []
    for name, binary in sorted(tree.binaries.items()):
        inside = [own for needed in binary.needed if (own := tree.inside(needed)) is not None]
        own_folders = [(home / own).parent for own in inside]
        files.append(
            FilePlan(
                name=name,
                rename=tuple(_mach_o_names(tree, list(binary.needed))) if binary.format == "macho" else (),
                rpath=tuple(dict.fromkeys(str(folder) for folder in (*own_folders, *folders))),
                identity=_identity(name, binary),
                reasons=("tests in source: found by run path, without a variable",),
            )
        )
    return TreePlan(purpose="source", root=tree.root, files=tuple(files))


def _plan(
    tree: Tree, purpose: str, *, home: PurePosixPath | None, shared: Mapping[str, PurePosixPath] | None = None
) -> TreePlan:
    files = (
        _plan_file(tree, name, binary, home, shared or {}) for name, binary in sorted(tree.binaries.items())
    )
    return TreePlan(purpose=purpose, root=tree.root, files=tuple(files))


def _plan_file(
    tree: Tree, name: str, binary: Binary, home: PurePosixPath | None, shared: Mapping[str, PurePosixPath]
) -> FilePlan:
    drop = _unused(tree, binary)
    kept = [needed for needed in binary.needed if needed not in drop]
    rename = tuple(_mach_o_names(tree, kept)) if binary.format == "macho" else ()
    beside = (shared[needed].parent for needed in kept if needed in shared)
    into = (
        _relative(binary, posixpath.relpath(one.as_posix(), posixpath.dirname(name) or ".")) for one in beside
    )
    rpath = tuple(dict.fromkeys((*_run_path(tree, name, binary, kept, home), *into)))
    present = binary.rpath or binary.runpath
    add = () if kept or not _needs_a_system(name, binary) else (_GLIBC,)
    return FilePlan(
        name=name,
        drop=drop,
        add=add,
        rename=rename,
        rpath=None if rpath == present and not binary.runpath else rpath,
        identity=_identity(name, binary),
        reasons=(
            *(f"{needed}: needed, but none of its symbols is used" for needed in drop),
            *(f"{needed}: the module needs no library, by which its system would be known" for needed in add),
        ),
    )


def _needs_a_system(name: str, binary: Binary) -> bool:
    """Tell whether an extension module's name leaves open which C library it is for, as ``.abi3.so`` does.

    auditwheel knows a module's C library by what it needs or by such a name, and refuses one with neither ("couldn't detect libc
    for python extension", auditwheel/wheel_abi.py). The platforms here all have glibc.
    """
    if binary.format != "elf" or "-linux-" in name:
        return False
    return any(one.defined and one.name.startswith("PyInit_") for one in binary.symbols or ())


def _unused(tree: Tree, binary: Binary) -> tuple[str, ...]:
    """Find needed libraries of tree or environment that nothing uses; the system's are left alone."""
    if binary.format != "elf":  # install_name_tool cannot drop; ld64 drops by -dead_strip_dylibs
        return ()
    providers = {}
    for needed in binary.needed:
        if (own := tree.inside(needed)) is not None:
            providers[needed] = tree.binaries[own]
        elif (path := tree.outside(needed)) is not None:
            providers[needed] = read_file(path, symbols=True)[0]
    return tuple(name for name in unused_needed(binary, providers) if name in providers)


def _run_path(
    tree: Tree, name: str, binary: Binary, needed: list[str], home: PurePosixPath | None
) -> Iterator[str]:
    """Yield the folders, relative to the file, in which its needed libraries lie in the final place."""
    here = posixpath.dirname(name)
    for library in needed:
        if (own := tree.inside(library)) is not None:
            yield _relative(binary, posixpath.relpath(posixpath.dirname(own) or ".", here or "."))
    beside = [path for library in needed if (path := tree.sibling(library)) is not None]
    for path in beside:
        yield _relative(
            binary, posixpath.relpath(path.parent, _place(PurePosixPath(here), site_of(path), home))
        )
    outside = [one for one in needed if tree.inside(one) is None and tree.outside(one)]
    if home is not None and len(outside) > len(beside):
        yield _relative(binary, posixpath.relpath("lib", (home / here).as_posix()))


def _place(here: PurePosixPath, site: PurePosixPath, home: PurePosixPath | None) -> PurePosixPath:
    """Return where a folder of the tree is in an environment; a wheel's own, which has no home, is site-packages."""
    if home is not None:
        return home / here
    return here if here.is_relative_to(site) else site / here


def _relative(binary: Binary, path: str) -> str:
    origin = "$ORIGIN" if binary.format == "elf" else "@loader_path"
    return origin if path == "." else f"{origin}/{path}"


def _mach_o_names(tree: Tree, needed: list[str]) -> Iterator[tuple[str, str]]:
    """Yield install names that name a place of this machine, with the @rpath name that replaces each."""
    for name in needed:
        wanted = f"@rpath/{posixpath.basename(name)}"
        known = tree.inside(name) is not None or tree.outside(name) is not None
        if known and name != wanted and not name.startswith("@loader_path/"):
            yield name, wanted


def _identity(name: str, binary: Binary) -> str | None:
    """Return the install name a dylib should have; ELF SONAMEs are the project's own choice."""
    if binary.format != "macho" or binary.soname is None:
        return None
    wanted = f"@rpath/{posixpath.basename(name)}"
    return None if binary.soname == wanted else wanted
