"""What symbols and contents tell beyond the headers."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from diptych.binaries import Binary, Buffer, Symbol, dynamic_symbols, signature, static_symbols
from diptych.doctor.instructions import instructions
from diptych.doctor.tables import Names, names_of
from diptych.policy import NewInMacOS, bundled_libraries, cxx_runtimes, new_in_macos
from diptych.policy.cxx_runtimes import INSIDE, UNWINDS
from diptych.rules import Deep, VersionUse
from diptych.rules.names import ModuleName, module_name, stem

Wanted = Callable[[str, str], bool]
"""Whether the users of a symbol version (second) on a machine (first) are to be named."""

# Objects of the interpreter that an extension refers to and only libpython defines.
_INTERPRETER = frozenset(
    {
        "Py_Initialize",
        "Py_InitializeEx",
        "_Py_NoneStruct",
        "_PyRuntime",
        "PyType_Type",
        "PyInterpreterState_New",
    }
)
_MARKERS = (b"\0Py_InitializeEx\0", b"\0_PyRuntime\0", b"\0PyInterpreterState_New\0")
_REGISTRY = "5boost6python9converter8registry"
_BOOST_PYTHON = re.compile(r"_?_ZN?[A-Z]*K?\d*N?K?5boost6python")
_PYBIND11 = re.compile(rb"__pybind11_internals_v\w+")
_NANOBIND = re.compile(rb"__nb_internals_")
_NANOBIND_TAG = re.compile(rb"v\d+_(?:system|gcc|clang|msvc|mscver|icc|libstdcpp|libcpp)\w*")
_NOT_USED_SLOT = {"little": bytes([4, *[0] * 7, 1, *[0] * 7]), "big": bytes([*[0] * 3, 4, *[0] * 11, 1])}
_ENTRY = re.compile(r"PyInitU?_|PyModExport_|HPyInit_")
_SYSTEM = ("/usr/lib/", "/System/")
_LINKERS = frozenset({"_init", "_fini", "_edata", "_end", "__bss_start", "_start", "main"})
_CHUNK = 1 << 20
_OVERLAP = 256


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What was found in one binary.

    Attributes:
        module: its name taken apart, when it is an extension module.
        deep: the facts for the rules.
        names: what it defines for others and wants of them.
    """

    module: ModuleName | None
    deep: Deep
    names: Names


def probe(binary: Binary, data: Buffer, *, wanted: Wanted) -> Probe:
    """Look into one binary.

    Raises:
        FormatError: its tables are damaged or hostile.
    """
    named = any(wanted(binary.machine, need.version) for need in binary.version_needs)
    everything = dynamic_symbols(binary, data)
    # A program embeds what it likes: its symbols are there for the plugins that it loads, and judged for the tag alone.
    symbols = everything if binary.kind != "executable" or named else ()
    names = _plain(binary, symbols)
    defined = {name for name, symbol in names if symbol.defined and symbol.binding != "local"}
    undefined = {name for name, symbol in names if not symbol.defined}
    module = _module(binary, defined)
    wide, asks = instructions(binary, data, {name for name, _ in names})
    uses_python = any(name.startswith(("Py", "_Py")) for name in undefined | defined)
    return Probe(
        module=module,
        deep=Deep(
            python_defined=_interpreter(binary, data, defined) if uses_python else (),
            boost_registry=tuple(sorted(name for name in defined if _REGISTRY in name)),
            boost_wanted=frozenset(filter(_BOOST_PYTHON.match, undefined)),
            boost_given=_given(binary, defined),
            entries=tuple(sorted(name for name in defined if _ENTRY.match(name))),
            uses_python=any(name.startswith(("Py", "_Py")) for name in undefined),
            python_wanted=_python_wanted(names, module),
            bundled=bundled_libraries(defined),
            wide_code=wide,
            asks_processor=asks,
            internals=tuple(_internals(binary, data)) if uses_python else (),
            gil=_gil(binary, data, module, undefined),
            signature=signature(binary, data) if binary.signed else None,
            version_uses=tuple(_version_uses(binary, symbols, wanted)),
            cxx_runtimes=cxx_runtimes(defined),
            cxx_inside=_cxx_inside(binary, data, undefined),
            newer=_newer(binary, names),
            strong=_strong(names) if module else frozenset(),
        ),
        names=names_of(binary, everything),
    )


def _cxx_inside(binary: Binary, data: Buffer, undefined: set[str]) -> bool:
    """Tell whether a C++ runtime was linked in, visible or not."""
    unwinds = UNWINDS & undefined or any(stem(name) == "libgcc_s" for name in binary.needed)
    if binary.format != "elf" or binary.kind != "shared" or not unwinds:
        return False
    return any(_find(binary, data, INSIDE, begin, size) for begin, size in _constants(binary))


def _newer(binary: Binary, names: Sequence[tuple[str, Symbol]]) -> tuple[NewInMacOS, ...]:
    if binary.format != "macho":
        return ()
    return new_in_macos(
        name
        for name, symbol in names
        if not symbol.defined and symbol.binding != "weak" and (symbol.library or "").startswith(_SYSTEM)
    )


def _strong(names: Sequence[tuple[str, Symbol]]) -> frozenset[str]:
    return frozenset(
        name
        for name, symbol in names
        if symbol.defined
        and symbol.binding == "global"
        and symbol.kind in {"func", "object", ""}  # Mach-O does not say
        and not _ENTRY.match(name)
        and name not in _LINKERS
    )


def _plain(binary: Binary, symbols: Sequence[Symbol]) -> list[tuple[str, Symbol]]:
    """Return C names: Mach-O puts an underscore before each."""
    cut = 1 if binary.format == "macho" else 0
    return [(symbol.name[cut:], symbol) for symbol in symbols]


def _module(binary: Binary, defined: set[str]) -> ModuleName | None:
    found = module_name(binary.name)
    if found is None or binary.kind not in {"shared", "bundle"}:
        return None
    initialised = f"PyInit_{found.name}" in defined or f"PyInitU_{found.name}" in defined
    return found if initialised or (found.tag and not found.name.startswith("lib")) else None


def _python_wanted(names: list[tuple[str, Symbol]], module: ModuleName | None) -> frozenset[str]:
    """Return what a module without a Python in its name wants of the C API; a weak reference may stay unbound."""
    if module is None or module.python is not None:
        return frozenset()
    return frozenset(
        name
        for name, symbol in names
        if not symbol.defined and symbol.binding != "weak" and name.startswith(("Py", "_Py"))
    )


def _interpreter(binary: Binary, data: Buffer, defined: set[str]) -> tuple[str, ...]:
    found = defined & _INTERPRETER
    if not found and any(_contains(binary, data, marker) for marker in _MARKERS):
        symbols = _plain(binary, static_symbols(binary, data))
        found = {name for name, symbol in symbols if symbol.defined} & _INTERPRETER
    return tuple(sorted(found))


def _contains(binary: Binary, data: Buffer, marker: bytes) -> bool:
    ranges = [(one.offset, one.size) for one in binary.sections if one.stored and one.name == ".strtab"] or [
        (one.offset, one.filesz) for one in binary.segments if one.name == "__LINKEDIT"
    ]
    return any(_find(binary, data, marker, begin, size) for begin, size in ranges)


def _given(binary: Binary, defined: set[str]) -> frozenset[str]:
    if not stem(binary.soname or binary.name).startswith("libboost_"):
        return frozenset()
    return frozenset(filter(_BOOST_PYTHON.match, defined))


def _constants(binary: Binary) -> list[tuple[int, int]]:
    """Return where constant data lies; the whole file where there are no section headers."""
    names = (
        ".rodata",
        ".data.rel.ro",
        ".data",
        "__TEXT,__cstring",
        "__TEXT,__const",
        "__DATA,__const",
        "__DATA,__data",
    )
    found = [
        (one.offset, one.size)
        for one in binary.sections
        if one.stored and (one.name in names or one.name.startswith((".rodata", "__DATA_CONST,")))
    ]
    return found or [(0, binary.size)]


def _internals(binary: Binary, data: Buffer) -> Iterator[str]:
    found: set[str] = set()
    nanobind: set[str] = set()
    for begin, size in _constants(binary):
        for piece in _pieces(binary, data, begin, size):
            found |= set(_whole(_PYBIND11, piece))
            if _NANOBIND.search(piece):
                nanobind |= set(_whole(_NANOBIND_TAG, piece))
    # Each has a twin for "call once" guards, in those modules that use them; compilers may break that text up.
    found = {name for name in found if "___call_" not in name}
    yield from sorted(found | {f"__nb_internals_{tag}" for tag in nanobind})


def _whole(pattern: re.Pattern[bytes], piece: bytes) -> Iterator[str]:
    """Yield the matches, but for one that a cut at the end of the piece may have shortened: the next piece has it."""
    for match in pattern.finditer(piece):
        if match.end() < len(piece) or len(piece) < _CHUNK + _OVERLAP:
            yield match[0].decode()


def _gil(binary: Binary, data: Buffer, module: ModuleName | None, undefined: set[str]) -> bool | None:
    """Tell whether a module can do without the GIL; only asked of free-threaded ones.

    pybind11 makes its slots at run time: of it nothing can be said.
    """
    if module is None or module.python is None or "t" not in module.python.flags:
        return None
    if "PyUnstable_Module_SetGIL" in undefined:
        return True
    slot = _NOT_USED_SLOT[binary.endianness]
    if any(_find(binary, data, slot, begin, size) for begin, size in _constants(binary)):
        return True
    return None if any(_internals(binary, data)) or binary.bits == 32 else False  # noqa: PLR2004


def _version_uses(binary: Binary, symbols: Sequence[Symbol], wanted: Wanted) -> Iterator[VersionUse]:
    users: dict[tuple[str, str], list[str]] = defaultdict(list)
    for need in binary.version_needs:
        if wanted(binary.machine, need.version):
            users[need.library, need.version] = []
    if not users:
        return
    for symbol in symbols:
        key = (symbol.library or "", symbol.version or "")
        if not symbol.defined and key in users:
            users[key].append(symbol.name)
    for (library, version), names in users.items():
        yield VersionUse(library=library, version=version, symbols=tuple(sorted(names)))


def _find(binary: Binary, data: Buffer, wanted: bytes, begin: int, size: int) -> bool:
    return any(wanted in piece for piece in _pieces(binary, data, begin, size))


def _pieces(binary: Binary, data: Buffer, begin: int, size: int) -> Iterator[bytes]:
    """Yield a range in pieces that overlap, so that a short pattern is whole in one of them."""
    end = min(binary.offset + begin + size, len(data))
    for at in range(binary.offset + begin, end, _CHUNK):
        yield bytes(data[at : min(at + _CHUNK + _OVERLAP, end)])
