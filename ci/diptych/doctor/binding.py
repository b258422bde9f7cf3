"""What ``ld --no-undefined`` would say of a module in its final place: symbols that its whole closure does not define.

For each module that Python loads, the scope is the loader's: the interpreter with its libraries, the module, and all that it
brings, breadth first (ld.so(8); glibc ``elf/dl-lookup.c``). Every object of the scope is bound in it. Nothing is said where a
library of the scope was not found: it could have the symbol.

Mach-O names the library of each symbol (two-level namespace), so there each image is held against that one. Names of
``-undefined dynamic_lookup`` are looked up in whatever the process has, and cannot be judged from files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain

from diptych.closure import Found, Loaded
from diptych.doctor.tables import Names, Outside, Tables
from diptych.doctor.two_level import two_level
from diptych.policy import glibc_names, manylinux
from diptych.rules import Evidence, Item, Unbound
from diptych.rules.cxxnames import is_cxx, other_string
from diptych.rules.names import libpython
from diptych.rules.reaching import own_item
from diptych.system import is_system_library

_KINDS = {"shared", "bundle"}
_MAX_LOOKUPS = 50_000_000
"""Of one target: several times what VTK's 376 libraries take. A hostile one gets no further, and no answer for the rest."""
_EXPLAINED = 20


@dataclass(kw_only=True)
class Scope:
    """The objects in which one root is bound.

    Attributes:
        root: the module, or a library that no module brings.
        members: the target's own binaries among them, the root first.
        keys: what tells these apart.
        tables: the names of all.
        assumed: libraries that every system has, of which nothing is known but that all their symbols have versions.
        only_cxx: a library that policies leave to the system is among them (libz, libX11, libGL, …): these are written in C,
            so a C name may come from there, and a C++ one not.
        open: the interpreter is not among them, which brings glibc's names.
    """

    root: Item
    members: list[Item]
    keys: set[tuple[str, int]]
    tables: list[tuple[str, Names]]
    assumed: set[str] = field(default_factory=set)
    only_cxx: bool = False
    open: bool = True

    def defines(self, name: str, version: str = "") -> bool:
        """Tell whether any object of the scope has the symbol."""
        return any(names.has(name, version) for _, names in self.tables)


@dataclass(frozen=True, kw_only=True)
class Binder:
    """Binds every item of a target.

    Attributes:
        evidence: the target, its items with closures.
        tables: the names of its binaries.
        outside: reads others; None: the target is a package, and they are not there.
        interpreter: path of the Python that imports, if it is known.
    """

    evidence: Evidence
    tables: Tables
    outside: Outside | None = None
    interpreter: str | None = None
    _left: dict[tuple[str, int], tuple[frozenset[tuple[str, int]], frozenset[str]]] = field(
        default_factory=dict, init=False, repr=False
    )

    _spent: list[int] = field(default_factory=lambda: [0], init=False, repr=False)

    def bind(self) -> tuple[Item, ...]:
        """Return the items with what is unbound in each; None stays where nothing can be said."""
        found: dict[tuple[str, int], dict[str, Unbound]] = {}
        for scope in self._scopes():
            for member in scope.members:
                mine = found.setdefault(_key(member), {})
                for one in self._unbound(member, scope, set(mine)):
                    mine[one.symbol] = one
            if self._spent[0] > _MAX_LOOKUPS:
                break
        for item in self.evidence.macho:
            if item.closure is not None and item.binary.kind in _KINDS:
                found[_key(item)] = {one.symbol: one for one in two_level(item, self.tables)}
        return tuple(
            replace(item, deep=replace(item.deep, unbound=tuple(found[_key(item)].values())))
            if _key(item) in found
            else item
            for item in self.evidence.items
        )

    def _scopes(self) -> Iterator[Scope]:
        """Yield the scope of each module, then of each library that none of these has brought, where it is complete."""
        reached: set[tuple[str, int]] = set()
        roots = [
            item for item in self.evidence.elf if item.closure is not None and item.binary.kind in _KINDS
        ]
        for root in sorted(roots, key=lambda item: item.module is None):
            if root.module is None and _key(root) in reached:
                continue
            scope = self._scope(root)
            if scope is not None:
                reached |= scope.keys
                yield scope

    def _brought(self, root: Item) -> list[Item]:
        entries = root.closure.loaded if root.closure else ()
        return [own for entry in entries if (own := self._own(entry)) is not None]

    def _own(self, entry: Loaded) -> Item | None:
        return own_item(entry, self.evidence)

    def _scope(self, root: Item) -> Scope | None:
        """Put the scope together; None where it is not known as a whole."""
        scope = Scope(
            root=root, members=[root], keys={_key(root)}, tables=[(root.label, self.tables.of(root.binary))]
        )
        scope.open = self.interpreter is None
        if self.interpreter is not None and not self._add_outside(scope, self.interpreter):
            return None
        if root.module is None:  # a plugin: programs of the package that load it define names for it
            programs = (item for item in self.evidence.elf if item.binary.kind == "executable")
            scope.tables += [(item.label, self.tables.of(item.binary)) for item in programs]
        closure = root.closure
        for entry in (*closure.before, *closure.loaded) if closure else ():
            if not self._add(entry, scope):
                return None
        return scope

    def _add(self, entry: Loaded, scope: Scope) -> bool:
        """Add what one need brings; False where that is unknown."""
        own = self._own(entry)
        if own is not None:
            if _key(own) not in scope.keys:
                scope.keys.add(_key(own))
                scope.members.append(own)
                scope.tables.append((own.label, self.tables.of(own.binary)))
            return True
        if self.evidence.packed and is_system_library(entry.name, "elf"):  # ld.so itself counts as loaded
            scope.assumed.add(entry.name)
            return True
        if entry.path is not None and not entry.missing:
            return self._add_outside(scope, entry.path)
        if self.evidence.packed and manylinux().lowest_for_library(entry.name) is not None:
            scope.only_cxx = True
            return True
        return bool(libpython(entry.name)) or entry.optional  # only Py* could come from these: not asked for

    def _add_outside(self, scope: Scope, path: str) -> bool:
        library = self.outside(path) if self.outside else None
        if library is not None and all(label != path for label, _ in scope.tables):
            scope.tables.append((path, library.names))
        return library is not None

    def _unbound(self, member: Item, scope: Scope, told: set[str]) -> Iterator[Unbound]:
        """Yield what is unbound in a member, but for the names that were told already."""
        mine = self.tables.of(member.binary)
        explained = 0
        names = self._open(member, scope) - told
        self._spent[0] += (len(names) + len(mine.versioned)) * len(scope.tables)
        for name in sorted(names):
            if name.startswith(("Py", "_Py")) or (scope.only_cxx and not is_cxx(name)):
                continue
            if scope.defines(name) or _is_assumed(name, scope) or (scope.open and name in glibc_names()):
                continue
            explained += 1
            yield self._explained(name, "", scope, twin=explained <= _EXPLAINED)
        for name, version, library in () if scope.only_cxx else sorted(mine.versioned):
            if library in scope.assumed or is_system_library(library, "elf"):
                continue  # nothing is known of it, or of the one that another system has under that name
            if not _has_version(version, library, scope):
                continue  # the version itself is missing, which DIP308 says
            if not scope.defines(name, version):
                explained += 1
                yield self._explained(name, version, scope, twin=explained <= _EXPLAINED)

    def _open(self, member: Item, scope: Scope) -> frozenset[str]:
        """Return the names to look for: not those which libraries define that a member brings into every scope itself.

        Looked up once for each member, since a library can be in the scopes of hundreds of modules.
        """
        key = _key(member)
        if key not in self._left:
            own = [member, *self._brought(member)]
            mine = self.tables.of(member.binary)
            defined = (self.tables.of(one.binary).exports for one in own)
            self._left[key] = (frozenset(map(_key, own)), (mine.imports - mine.weak).difference(*defined))
        brought, left = self._left[key]
        if brought <= scope.keys:
            return left
        mine = self.tables.of(member.binary)
        return mine.imports - mine.weak

    def _explained(self, name: str, version: str, scope: Scope, *, twin: bool) -> Unbound:
        """Say what else is known of a symbol: who else has it, and whether it is there for the other std::string."""
        self._spent[0] += len(self.evidence.elf)
        others = (
            item.label
            for item in self.evidence.elf
            if item.binary.kind != "executable"
            and _key(item) not in scope.keys
            and self.tables.of(item.binary).has(name, version)
        )
        # --as-needed leaves a library out of the link when it has none of the names: with the wrong string it has none.
        more = ((item.label, self.tables.of(item.binary)) for item in self.evidence.elf)
        tables = chain(scope.tables, more) if twin and self._spent[0] <= _MAX_LOOKUPS else ()
        twins = ((other, label) for label, names in tables for other in other_string(name, names.exports))
        found, where = next(twins, ("", ""))
        return Unbound(
            symbol=name,
            version=version,
            root=scope.root.label,
            elsewhere=next(others, ""),
            twin=found,
            twin_in=where,
        )


def _key(item: Item) -> tuple[str, int]:
    return (item.place, item.binary.offset)


def _is_assumed(name: str, scope: Scope) -> bool:
    """A C++ library's own names, asked for without a version, may come from the libstdc++ that every system has."""
    runtime = (
        "_ZS",
        "_ZNS",
        "_ZNKS",
        "_ZTIS",
        "_ZTSS",
        "_ZTVS",
        "_ZTINS",
        "_ZTVNS",
        "_ZTIN10__cxxabi",
        "_ZTVN10__cxxabi",
    )
    return any(library.startswith("libstdc++") for library in scope.assumed) and name.startswith(
        (*runtime, "_Zn", "_Zd", "__cxa_", "__gxx_")
    )


def _has_version(version: str, library: str, scope: Scope) -> bool:
    """Tell whether the version is defined by anything in the scope at all."""
    closure = scope.root.closure
    entries = (*closure.before, *closure.loaded) if closure else ()
    return any(
        definition.name == version
        for entry in entries
        if entry.binary is not None
        and (not library or entry.name == library or entry.found_by is not Found.NOT_FOUND)
        for definition in entry.binary.version_definitions
    )
