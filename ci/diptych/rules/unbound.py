"""DIP309 and DIP310: symbols that nothing defines, although every library is found."""

from __future__ import annotations

from collections.abc import Iterator

from diptych.rules import conditions
from diptych.rules.cxxnames import has_new_string, is_cxx
from diptych.rules.evidence import Evidence, Item, Unbound
from diptych.rules.model import Finding, Severity, rule
from diptych.rules.names import boost_python
from diptych.rules.search_paths import SHOWN


@rule("DIP309", "symbol that nothing in the closure defines", Severity.ERROR, conditions.bound)
def unbound(evidence: Evidence) -> Iterator[Finding]:
    """All libraries are found, and still a symbol is defined by none of them, nor by the interpreter.

    Why: Python loads modules with all symbols bound at once: "undefined symbol: _ZN…" (dyld: "Symbol not found"). A library was left
    out of the link, has another version than its headers, or hides the symbol. Names of the C API are the interpreter's and not
    asked for, nor are glibc's, which it brings; a C name may also be brought by what is loaded before, so it weighs less. A plugin
    may take names from the program that loads it: a program of the package is looked at, another is not seen. Mach-O's names of
    `-undefined dynamic_lookup` belong to no library and cannot be judged from files.

    Mend: link the library that defines it (`target_link_libraries`), with headers and library from one place; link with
    `-Wl,--no-undefined` where the interpreter's names allow it.

    Not seen: names of the C API and of glibc; C names where a library of the system that is written in C is needed; closures
    that are not here as a whole; a program outside of the package that loads a plugin; names looked up by `dlsym`.

    Source: PDAL/python#16; conda/conda#7556; ld.so(8); ld(1), "--no-undefined"; CPython, sys.setdlopenflags.
    """
    for item in evidence.items:
        lost = [one for one in _lost(item, evidence) if not (one.twin or has_new_string(one.symbol))]
        groups: dict[tuple[Severity, str], list[Unbound]] = {}
        for one in lost:
            groups.setdefault((_unbound_weight(one, item, evidence), one.elsewhere), []).append(one)
        for (severity, elsewhere), symbols in groups.items():
            yield _unbound_finding(item, symbols, severity, elsewhere)


@rule("DIP310", "the other std::string", Severity.ERROR, conditions.bound, conditions.elf)
def other_string(evidence: Evidence) -> Iterator[Finding]:
    """A symbol is missing that speaks of libstdc++'s new std::string, or is there for the other one.

    Why: "undefined symbol: …B5cxx11Ev", or one with `__cxx11` in it. Since GCC 5 libstdc++ has two std::string and std::list, and
    `_GLIBCXX_USE_CXX11_ABI` chooses at compile time (0 in manylinux2014's toolset, 1 elsewhere). One side was compiled with 0, the
    other with 1: to the linker these are different functions.

    Mend: one `_GLIBCXX_USE_CXX11_ABI` for the module and all C++ libraries that it links: take the libraries from where the compiler
    comes from, or define it as the library was built (`torch.compiled_with_cxx11_abi()`, `strings lib | grep cxx11`).

    Not seen: functions whose names do not tell of a string (return types, class members).

    Source: libstdc++ manual, "Dual ABI"; PDAL/python#16; conda/conda#7556.
    """
    for item in evidence.elf:
        lost = [one for one in _lost(item, evidence) if one.twin or has_new_string(one.symbol)]
        groups: dict[tuple[Severity, str], list[Unbound]] = {}
        for one in lost:
            severity = Severity.DRIFT if one.elsewhere else Severity.ERROR
            groups.setdefault((severity, one.elsewhere), []).append(one)
        for (severity, elsewhere), symbols in groups.items():
            yield _unbound_finding(item, symbols, severity, elsewhere)


def _lost(item: Item, evidence: Evidence) -> Iterator[Unbound]:
    """Yield what is unbound and is not DIP206's business: symbols that the package's own Boost.Python lacks."""
    boost = any(
        (own := evidence.own_library(name)) is not None and own.deep.boost_given
        for name in item.binary.needed
        if boost_python(name) is not None
    )
    for one in item.deep.unbound or ():
        if not (boost and one.symbol in item.deep.boost_wanted):
            yield one


def _unbound_weight(one: Unbound, item: Item, evidence: Evidence) -> Severity:
    """A C name, and one that a sibling has, can be there when that was loaded before with RTLD_GLOBAL."""
    if one.elsewhere:
        return Severity.DRIFT
    if one.library or one.version:
        return Severity.ERROR
    if is_cxx(one.symbol):
        imported = item.module or one.root in evidence.module_labels or not evidence.modules
        return (
            Severity.ERROR if imported and (item.module or evidence.kind != "environment") else Severity.DRIFT
        )
    return Severity.DRIFT if evidence.kind == "environment" and item.module else Severity.NOTE


def _unbound_finding(item: Item, symbols: list[Unbound], severity: Severity, elsewhere: str) -> Finding:
    first = symbols[0]
    more = f" and {len(symbols) - 1} more" if symbols[1:] else ""
    whose = f"{first.library} does not define" if first.library else "nothing in the closure defines"
    lines = [f"undefined: {_versioned(one)}" for one in symbols[:SHOWN]]
    lines += [f"{one.twin_in} has {one.twin}" for one in symbols[:SHOWN] if one.twin]
    if first.root != item.label:
        lines.append(f"seen from {first.root}, which brings it")
    if elsewhere:
        lines.append(f"{elsewhere} defines it, but is not in the closure")
    return Finding(
        given=severity,
        place=item.label,
        message=f"{whose} {_versioned(first)}{more}",
        evidence=tuple(lines),
        next_step=_bind_step(severity, elsewhere),
    )


def _bind_step(severity: Severity, elsewhere: str) -> str:
    if elsewhere:
        return f"link {elsewhere}, or see that it is loaded before with RTLD_GLOBAL"
    if severity is Severity.NOTE:
        return "nothing, where the interpreter brings it (it links libm, for one); else link its library"
    return ""


def _versioned(one: Unbound) -> str:
    return f"{one.symbol}@{one.version}" if one.version else one.symbol
