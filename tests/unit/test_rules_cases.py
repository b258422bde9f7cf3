"""Each rule over small real files: the whole set of codes is compared, so a case also shows what stays silent."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path

import pytest

from diptych.doctor import gather
from diptych.rules import Severity, all_rules, judge
from helpers.archive_makers import INDEX, conda_info, make_conda, make_wheel, paths_json, wheel_record
from helpers.elf_builder import Sym, elf, note
from helpers.macho_builder import CPU_ARM64, CPU_X86_64, MH_BUNDLE, macho, universal

CP311 = "cpython-311-x86_64-linux-gnu.so"
TAG = "pair-1.2-cp311-cp311-manylinux_2_17_x86_64.whl"
MAC = "pair-1.2-cp311-cp311-macosx_11_0_arm64.whl"
ABI3 = "pair-1.2-cp310-abi3-manylinux_2_17_x86_64.whl"
LIBC = ("libc.so.6", "GLIBC_2.17")
NOT_USED = struct.pack("<QQ", 4, 1)


def module(name: str = "_core", *, symbols: tuple[Sym, ...] = (), **parts: object) -> bytes:
    """An extension module as a compiler leaves it: PyInit defined, the C API undefined."""
    own = (Sym(name=f"PyInit_{name}", defined=True), Sym(name="PyModule_Create2"), Sym(name="_Py_NoneStruct"))
    return elf(symbols=(*own, *symbols), **parts)  # type: ignore[arg-type]


def mac_module(name: str = "_core", **parts: object) -> bytes:
    options: dict[str, object] = {
        "kind": MH_BUNDLE,
        "signed": True,
        "needed": ["/usr/lib/libSystem.B.dylib"],
        **parts,
    }
    return macho(symbols=[(f"_PyInit_{name}", 0)], **options)  # type: ignore[arg-type]


def member(data: bytes, name: str = "_core") -> dict[str, bytes]:
    return {f"pair/{name}.{CP311}": data}


def wants(library: str, version: str, symbol: str = "thing") -> Sym:
    return Sym(name=symbol, version=(library, version))


def mac_pair(given: str, *, wanted: str = "_foo") -> dict[str, bytes]:
    """A bundle that wants a name of the dylib beside it, and the dylib with the name given."""
    system, beside = "/usr/lib/libSystem.B.dylib", "@loader_path/libfoo.dylib"
    symbols = [("_PyInit__core", 0), (wanted, 2), ("_malloc", 1)]
    return {
        "pair/_core.cpython-311-darwin.so": macho(
            kind=MH_BUNDLE, signed=True, needed=[system, beside], symbols=symbols
        ),
        "pair/libfoo.dylib": macho(
            install_name="@rpath/libfoo.dylib", signed=True, needed=[system], symbols=[(given, 0)]
        ),
    }


def elf_pair(*given: str, wanted: str = "foo", **parts: object) -> dict[str, bytes]:
    """A module that wants a name, and the library beside it."""
    options: dict[str, object] = {"needed": ["libfoo.so.1", "libc.so.6"], "rpath": "$ORIGIN", **parts}
    return {
        **member(module(symbols=(Sym(name=wanted),), **options)),  # type: ignore[arg-type]
        "pair/libfoo.so.1": elf(
            soname="libfoo.so.1", symbols=[Sym(name=name, defined=True) for name in ("keep", *given)]
        ),
    }


def runtime_pair(
    *,
    inside: bytes = b"\0N10__cxxabiv117__class_type_infoE\0",
    library: tuple[str, ...] = ("libstdc++.so.6",),
) -> dict[str, bytes]:
    """A module whose constants hold some bytes, and the library that it is linked with."""
    symbols = (Sym(name="foo"), Sym(name="_dl_find_object"))
    cxx = [Sym(name="_ZNSt6localeC1Ev")] if library else []
    return {
        **member(module(needed=["libfoo.so.1", "libc.so.6"], rpath="$ORIGIN", symbols=symbols, text=inside)),
        "pair/libfoo.so.1": elf(
            soname="libfoo.so.1",
            needed=[*library, "libc.so.6"],
            symbols=[Sym(name="foo", defined=True), *cxx],
        ),
    }


STRING = "NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"
REGISTRY = "_ZN5boost6python9converter8registry6insertEPFPvP7_objectE"
BOOST = "libboost_python311.so.1.86.0"

ELF_CASES: dict[str, tuple[str, Mapping[str, bytes], set[str]]] = {
    "clean": (TAG, member(module(needed=["libc.so.6"], symbols=(wants(*LIBC),))), set()),
    "libpython": (TAG, member(module(needed=["libpython3.11.so.1.0"])), {"DIP101"}),
    "free-threaded libpython": (TAG, member(module(needed=["libpython3.14t.so.1.0"])), {"DIP101"}),
    "debug libpython": (TAG, member(module(needed=["libpython3.11d.so.1.0"])), {"DIP101"}),
    "stable libpython": (TAG, member(module(needed=["libpython3.so"])), {"DIP101"}),
    "a name like libpython": (
        TAG,
        {
            **member(module(needed=["libpython_helper.so"], rpath="$ORIGIN", symbols=(Sym(name="help"),))),
            "pair/libpython_helper.so": elf(soname="libpython_helper.so", symbols=(Sym(name="help", defined=True),)),
        },
        set(),
    ),
    "libpython grafted": (
        TAG,
        {
            **member(module(needed=["libpython3-6a700644.14t.so.1.0"], rpath="$ORIGIN/../pair.libs")),
            "pair.libs/libpython3-6a700644.14t.so.1.0": elf(soname="libpython3-6a700644.14t.so.1.0"),
        },
        {"DIP101", "DIP102"},
    ),
    "libpython absorbed": (
        TAG,
        member(module(symbols=(Sym(name="Py_Initialize", defined=True), Sym(name="PyType_Type", defined=True)))),
        {"DIP103"},
    ),
    "an embedding program": (
        TAG,
        {"pair/run": elf(kind=2, needed=["libpython3.11.so.1.0"], symbols=(Sym(name="Py_Initialize", defined=True),))},
        set(),
    ),
    "named for 3.14": (TAG, {"pair/_core.cpython-314-x86_64-linux-gnu.so": module()}, {"DIP104"}),
    "named for 3.11t": (TAG, {"pair/_core.cpython-311t-x86_64-linux-gnu.so": module(text=NOT_USED)}, {"DIP104"}),
    "a plain .so": (TAG, {"pair/_core.so": module()}, set()),
    "abi3 in a cp311 wheel": (TAG, {"pair/_core.abi3.so": module()}, set()),
    "for both stable ABIs": ("pair-1.2-cp315-abi3.abi3t-manylinux_2_17_x86_64.whl", {"pair/_core.abi3t.so": module()}, set()),
    "abi3t": ("pair-1.2-cp315-abi3t-manylinux_2_17_x86_64.whl", {"pair/_core.abi3t.so": module()}, set()),
    "abi3t, an interpreter with t": ("pair-1.2-cp315t-abi3t-manylinux_2_17_x86_64.whl", {"pair/_core.abi3t.so": module()}, {"DIP111"}),
    "one Python, an interpreter with t": ("pair-1.2-cp315t-cp315t-manylinux_2_17_x86_64.whl", {"pair/_core.cpython-315t-x86_64-linux-gnu.so": module(text=NOT_USED)}, {"DIP111"}),
    "the ABI of another Python": ("pair-1.2-cp310-cp311-manylinux_2_17_x86_64.whl", {f"pair/_core.{CP311}": module()}, {"DIP111"}),
    "abi3t beyond the limited API": ("pair-1.2-cp315-abi3t-manylinux_2_17_x86_64.whl", {"pair/_core.abi3t.so": module(symbols=(Sym(name="PyUnicode_New"),))}, {"DIP110"}),
    "pinned in abi3t": ("pair-1.2-cp315-abi3t-manylinux_2_17_x86_64.whl", {"pair/_core.cpython-315t-x86_64-linux-gnu.so": module(text=NOT_USED)}, {"DIP104"}),
    "pinned in abi3": (
        "pair-1.2-cp311-abi3-manylinux_2_17_x86_64.whl",
        member(module()),
        {"DIP104"},
    ),
    "of the limited API": (ABI3, {"pair/_core.abi3.so": module(symbols=(Sym(name="PyObject_GetBuffer"),))}, {"DIP110"}),
    "later than the tag": (ABI3, {"pair/_core.abi3.so": module(symbols=(Sym(name="PyType_GetName"),))}, {"DIP110"}),
    "as late as the tag": (
        ABI3.replace("cp310", "cp311"),
        {"pair/_core.abi3.so": module(symbols=(Sym(name="PyType_GetName"), Sym(name="PyObject_GetBuffer")))},
        set(),
    ),
    "not stable": (
        "pair-1.2-cp312-abi3-manylinux_2_17_x86_64.whl",
        {"pair/_core.abi3.so": module(symbols=(Sym(name="PyUnicode_New"), Sym(name="_PyObject_New")))},
        {"DIP110"},
    ),
    "a weak reference": (ABI3, {"pair/_core.abi3.so": module(symbols=(Sym(name="PyUnicode_New", weak=True),))}, set()),
    "abi3 of a plain name": (ABI3, {"pair/_core.so": module(symbols=(Sym(name="PyUnicode_New"),))}, {"DIP110"}),
    "GIL on": (
        "pair-1.2-cp313-cp313t-manylinux_2_17_x86_64.whl",
        {"pair/_core.cpython-313t-x86_64-linux-gnu.so": module()},
        {"DIP106"},
    ),
    "GIL slot": (
        "pair-1.2-cp313-cp313t-manylinux_2_17_x86_64.whl",
        {"pair/_core.cpython-313t-x86_64-linux-gnu.so": module(text=NOT_USED)},
        set(),
    ),
    "GIL by function": (
        "pair-1.2-cp313-cp313t-manylinux_2_17_x86_64.whl",
        {"pair/_core.cpython-313t-x86_64-linux-gnu.so": module(symbols=(Sym(name="PyUnstable_Module_SetGIL"),))},
        set(),
    ),
    "a name that the library has": (TAG, elf_pair("foo"), set()),
    "a C name that nobody has": (TAG, elf_pair("bar", "foo2", wanted="foo"), {"DIP309", "DIP503"}),
    "a C++ name that nobody has": (TAG, elf_pair(wanted="_ZN3pot4nameEi"), {"DIP309", "DIP503"}),
    "its own std::string": (TAG, elf_pair(f"_ZN3pot3setER{STRING}", wanted=f"_ZN3pot3setER{STRING}"), set()),
    "the other std::string": (TAG, elf_pair("_ZN3pot3setERSs", wanted=f"_ZN3pot3setER{STRING}"), {"DIP310", "DIP503"}),
    "the old std::string wanted": (TAG, elf_pair("_ZN3pot4nameB5cxx11Ev", wanted="_ZN3pot4nameEv"), {"DIP310", "DIP503"}),
    "an overload is not the other std::string": (
        TAG,
        elf_pair(f"_ZN3pot3setER{STRING}", wanted="_ZN3pot3setEi"),
        {"DIP309", "DIP503"},
    ),
    "a sibling has the name": (
        TAG,
        {
            **member(module(needed=["libc.so.6"], symbols=(Sym(name="_ZN3pot4nameEv"),))),
            **member(module("_b", symbols=(Sym(name="_ZN3pot4nameEv", defined=True),)), "_b"),
        },
        {"DIP309"},
    ),
    "a library that is not here could have it": (
        TAG,
        member(module(needed=["libpot.so.1"], symbols=(Sym(name="_ZN3pot4nameEv"),))),
        {"DIP307"},
    ),
    "a C library of the system could have a C name": (
        TAG,
        member(module(needed=["libX11.so.6"], symbols=(Sym(name="XOpenDisplay"),))),
        set(),
    ),
    "a C library of the system has no C++ names": (
        TAG,
        member(module(needed=["libX11.so.6"], symbols=(Sym(name="_ZN3pot4nameEv"),))),
        {"DIP309"},
    ),
    "ld.so itself is there": (
        TAG,
        member(module(needed=["ld-linux-x86-64.so.2"], symbols=(Sym(name="_ZN3pot4nameEv"),))),
        {"DIP309"},
    ),
    "libstdc++ may be asked without a version": (
        TAG,
        member(module(needed=["libstdc++.so.6"], symbols=(Sym(name="_ZNSt6localeC1Ev"),))),
        set(),
    ),
    "weak names may be absent": (TAG, member(module(symbols=(Sym(name="_ZN3pot4nameEv", weak=True),))), set()),
    "C++ runtime inside": (
        TAG,
        member(module(symbols=tuple(Sym(name=name, defined=True) for name in ("_ZNSt6localeC1Ev", "_ZSt4cout")))),
        {"DIP705"},
    ),
    "C++ runtime hidden inside, beside the system's": (TAG, runtime_pair(), {"DIP709"}),
    "C++ runtime shared by both": (TAG, runtime_pair(inside=b"_ZTIN10__cxxabiv117__class_type_infoE\0"), set()),
    "C++ runtime hidden inside, beside C": (TAG, runtime_pair(library=()), set()),
    "one of its names alone is interposed": (
        TAG, member(module(symbols=(Sym(name="__cxa_throw", defined=True),))), set()
    ),
    "Boost.Python of 3.10": (
        TAG,
        {
            **member(module(needed=["libboost_python310.so.1.86.0"], rpath="$ORIGIN", symbols=(Sym(name=REGISTRY),))),
            "pair/libboost_python310.so.1.86.0": elf(
                soname="libboost_python310.so.1.86.0", symbols=(Sym(name=REGISTRY, defined=True),)
            ),
        },
        {"DIP201"},
    ),
    "Boost.Python twice": (
        TAG,
        {
            **member(module(needed=[BOOST], rpath="$ORIGIN", symbols=(Sym(name=REGISTRY),))),
            f"pair/{BOOST}": elf(soname=BOOST, symbols=(Sym(name=REGISTRY, defined=True),)),
            "pair.libs/libboost_python311-0123abcd.so.1.86.0": elf(
                soname="libboost_python311-0123abcd.so.1.86.0", symbols=(Sym(name=REGISTRY, defined=True),)
            ),
        },
        {"DIP202"},
    ),
    "Boost.Python static twice": (
        TAG,
        {
            **member(module("_a", symbols=(Sym(name=REGISTRY, defined=True),)), "_a"),
            **member(module("_b", symbols=(Sym(name=REGISTRY, defined=True),)), "_b"),
        },
        {"DIP203"},
    ),
    "Boost.Python static once": (TAG, member(module(symbols=(Sym(name=REGISTRY, defined=True),))), set()),
    "Boost.Python with libc++": (
        TAG,
        {
            **member(
                module(needed=[BOOST, "libstdc++.so.6"], rpath="$ORIGIN", symbols=(Sym(name=REGISTRY),))
            ),
            f"pair/{BOOST}": elf(
                soname=BOOST,
                needed=["libc++.so.1"],
                rpath="$ORIGIN",
                symbols=(Sym(name=REGISTRY, defined=True), Sym(name="other")),
            ),
            "pair/libc++.so.1": elf(soname="libc++.so.1", symbols=(Sym(name="other", defined=True),)),
        },
        {"DIP205"},
    ),
    "Boost.Python without the symbol": (
        TAG,
        {
            **member(
                module(
                    needed=[BOOST],
                    rpath="$ORIGIN",
                    symbols=(Sym(name=REGISTRY), Sym(name="_ZTIN5boost6python15instance_holderE")),
                )
            ),
            f"pair/{BOOST}": elf(soname=BOOST, symbols=(Sym(name=REGISTRY, defined=True),)),
        },
        {"DIP206"},
    ),
    "pybind11 internals differ": (
        TAG,
        {
            **member(module("_a", text=b"\0__pybind11_internals_v11_system_libstdcpp_gxx_abi_1xxx_use_cxx11_abi_1__\0"), "_a"),
            **member(module("_b", text=b"\0__pybind11_internals_v12_system_libstdcpp_gxx_abi_1xxx_use_cxx11_abi_1__\0"), "_b"),
        },
        {"DIP207"},
    ),
    "pybind11 internals and their twin": (
        TAG,
        member(module(text=b"\0__pybind11_internals_v12_gcc__\0__pybind11_internals_v12_gcc___call_once_storage__\0")),
        set(),
    ),
    "nanobind tags differ": (
        TAG,
        {
            **member(module("_a", text=b"\0__nb_internals_%s_%s__\0v16_system_libstdcpp_gxx_abi_1xxx\0"), "_a"),
            **member(module("_b", text=b"\0__nb_internals_%s_%s__\0v17_system_libstdcpp_gxx_abi_1xxx\0"), "_b"),
        },
        {"DIP207"},
    ),
    "absolute RPATH": (TAG, member(module(needed=["libc.so.6"], rpath="/opt/conda/envs/build/lib")), {"DIP301"}),
    "absolute RUNPATH": (TAG, member(module(needed=["libc.so.6"], runpath="/home/me/lib")), {"DIP301"}),
    "system RPATH": (TAG, member(module(rpath="/usr/lib/x86_64-linux-gnu")), {"DIP301"}),
    "empty entry": (TAG, member(module(rpath="$ORIGIN:")), {"DIP302"}),
    "relative entry": (TAG, member(module(rpath="lib")), {"DIP302"}),
    "an RPATH that is empty as a whole": (TAG, member(module(rpath="")), set()),
    "entry twice": (TAG, member(module(rpath="$ORIGIN:$ORIGIN")), {"DIP303"}),
    "leaves site-packages": (TAG, member(module(rpath="$ORIGIN/../../..")), {"DIP304"}),
    "a sibling package": (TAG, member(module(rpath="$ORIGIN/../nvidia/cublas/lib")), set()),
    "leads nowhere": (TAG, member(module(rpath="$ORIGIN/../pair.libs")), {"DIP305"}),
    "RPATH and RUNPATH": (TAG, member(module(rpath="$ORIGIN", runpath="$ORIGIN")), {"DIP306"}),
    "not found": (TAG, member(module(needed=["libfoo.so.1"])), {"DIP307"}),
    "found by SONAME folder": (
        TAG,
        {**member(module(needed=["libfoo.so.1"], runpath="$ORIGIN/lib", symbols=(Sym(name="f"),))),
         "pair/lib/libfoo.so.1": elf(soname="libfoo.so.1", symbols=(Sym(name="f", defined=True),))},
        set(),
    ),
    "above the tag": (TAG, member(module(needed=["libc.so.6"], symbols=(wants("libc.so.6", "GLIBC_2.34"),))), {"DIP401"}),
    "OpenSSL's versions are not regulated": (
        TAG,
        {**member(module(needed=["libssl.so.3"], rpath="$ORIGIN", symbols=(wants("libssl.so.3", "OPENSSL_3.0.0"),))),
         "pair/libssl.so.3": elf(soname="libssl.so.3")},
        set(),
    ),
    "a grafted libstdc++ brings its own versions": (
        TAG,
        {**member(module(needed=["libstdc++.so.6"], rpath="$ORIGIN", symbols=(wants("libstdc++.so.6", "GLIBCXX_3.4.34"),))),
         "pair/libstdc++.so.6": elf(soname="libstdc++.so.6")},
        {"DIP703"},
    ),
    "beyond all": (
        "pair-1.2-cp311-cp311-linux_x86_64.whl",
        member(module(needed=["libstdc++.so.6"], symbols=(wants("libstdc++.so.6", "GLIBCXX_3.4.34"),))),
        {"DIP402", "DIP403"},
    ),
    "another machine": (TAG, member(module(machine=243)), {"DIP404"}),
    "Mach-O in a Linux wheel": (TAG, {"pair/_core.cpython-311-darwin.so": mac_module()}, {"DIP404"}),
    "tag too new": ("pair-1.2-cp311-cp311-manylinux_2_34_x86_64.whl", member(module()), {"DIP405"}),
    "x86-64-v3": (
        TAG,
        member(module(notes=note(b"GNU\0", 5, struct.pack("<III", 0xC0008002, 4, 4) + b"\0" * 4))),
        {"DIP406"},
    ),
    "libmvec before its time": (TAG, member(module(needed=["libmvec.so.1"])), {"DIP407"}),
    "4 KiB pages on aarch64": (
        "pair-1.2-cp311-cp311-manylinux_2_17_aarch64.whl",
        {"pair/_core.cpython-311-aarch64-linux-gnu.so": module(machine=183)},
        {"DIP409"},
    ),
    "tagged any": ("pair-1.2-py3-none-any.whl", member(module()), {"DIP501"}),
    "damaged": (TAG, {"pair/_core.so": b"\x7fELF" + bytes(range(256))}, {"DIP502"}),
    "unused, and grafted for it": (
        TAG,
        {**member(module(needed=["libgraph-0123abcd.so.1"], rpath="$ORIGIN/../pair.libs")),
         "pair.libs/libgraph-0123abcd.so.1": elf(soname="libgraph-0123abcd.so.1", symbols=(Sym(name="g", defined=True),))},
        {"DIP503"},
    ),
    "tests at the top": (TAG, {"pair/__init__.py": b"", "tests/test_pair.py": b""}, {"DIP508"}),
    "tests in the package": (TAG, {"pair/__init__.py": b"", "pair/tests/test_pair.py": b"", "docs/a.txt": b"1"}, set()),
    "names that collide": (TAG, {"pair/Data.txt": b"1", "pair/data.txt": b"2"}, {"DIP506"}),
    "two OpenMPs": (
        TAG,
        {"pair.libs/libgomp-0123abcd.so.1.0.0": elf(soname="libgomp-0123abcd.so.1.0.0"),
         "pair/libiomp5.so": elf(soname="libiomp5.so")},
        {"DIP701"},
    ),
    "two BLASes": (
        TAG,
        {"pair.libs/libscipy_openblas64_-0123abcd.so": elf(soname="libscipy_openblas64_-0123abcd.so"),
         "pair/libmkl_rt.so.2": elf(soname="libmkl_rt.so.2")},
        {"DIP702"},
    ),
    "C++ runtime grafted": (TAG, {"pair.libs/libstdc++-0123abcd.so.6": elf(soname="libstdc++-0123abcd.so.6")}, {"DIP703"}),
    "C++ runtime in musllinux": (
        "pair-1.2-cp311-cp311-musllinux_1_2_x86_64.whl",
        {"pair.libs/libstdc++-0123abcd.so.6": elf(soname="libstdc++-0123abcd.so.6")},
        set(),
    ),
    "one library twice": (
        TAG,
        {"pair.libs/libfoo-0123abcd.so.1": elf(soname="libfoo-0123abcd.so.1"),
         "pair.libs/libfoo-89abcdef.so.1": elf(soname="libfoo-89abcdef.so.1")},
        {"DIP704"},
    ),
}  # fmt: skip

MACHO_CASES: dict[str, tuple[str, Mapping[str, bytes], set[str]]] = {
    "clean": (MAC, {"pair/_core.cpython-311-darwin.so": mac_module()}, set()),
    "libpython": (
        MAC,
        {"pair/_core.cpython-311-darwin.so": mac_module(needed=["@rpath/libpython3.11.dylib"])},
        {"DIP101"},
    ),
    "framework": (
        MAC,
        {
            "pair/_core.cpython-311-darwin.so": mac_module(
                needed=["/Library/Frameworks/Python.framework/Versions/3.11/Python"]
            )
        },
        {"DIP101"},
    ),
    "libpython delocated": (MAC, {"pair/.dylibs/libpython3.11.dylib": macho(signed=True)}, {"DIP102"}),
    "absolute LC_RPATH": (
        MAC,
        {"pair/_core.cpython-311-darwin.so": mac_module(rpath=["/Users/runner/lib"])},
        {"DIP301"},
    ),
    "a two-level name": (MAC, mac_pair("_foo"), set()),
    "a two-level name that is gone": (MAC, mac_pair("_bar"), {"DIP309"}),
    "Fortran's libgcc_s": (MAC, {"pair/.dylibs/libgcc_s.1.1.dylib": macho(signed=True)}, {"DIP703"}),
    "LC_RPATH twice": (
        MAC,
        {"pair/_core.cpython-311-darwin.so": mac_module(rpath=["@loader_path", "@loader_path"])},
        {"DIP601"},
    ),
    "not found": (
        MAC,
        {"pair/_core.cpython-311-darwin.so": mac_module(needed=["@rpath/libfoo.dylib"])},
        {"DIP307"},
    ),
    "unsigned arm64": (MAC, {"pair/_core.cpython-311-darwin.so": mac_module(signed=False)}, {"DIP602"}),
    "unsigned x86_64": (
        "pair-1.2-cp311-cp311-macosx_11_0_x86_64.whl",
        {"pair/_core.cpython-311-darwin.so": mac_module(cpu=CPU_X86_64, signed=False)},
        set(),
    ),
    "stale signature": (
        MAC,
        {"pair/_core.cpython-311-darwin.so": mac_module(text=b"Z" * 16).replace(b"Z" * 16, b"Y" * 16)},
        {"DIP603"},
    ),
    "newer macOS": (MAC, {"pair/_core.cpython-311-darwin.so": mac_module(minos=(14, 0))}, {"DIP604"}),
    "11.0 of arm64 in an older universal tag": (
        "pair-1.2-cp311-cp311-macosx_10_9_universal2.whl",
        {
            "pair/_core.cpython-311-darwin.so": universal(
                (CPU_X86_64, mac_module(cpu=CPU_X86_64, minos=(10, 9))), (CPU_ARM64, mac_module())
            )
        },
        set(),
    ),
    "a slice is missing": (
        "pair-1.2-cp311-cp311-macosx_11_0_universal2.whl",
        {"pair/_core.cpython-311-darwin.so": mac_module()},
        {"DIP605"},
    ),
    "slices need different libraries": (
        "pair-1.2-cp311-cp311-macosx_11_0_universal2.whl",
        {
            "pair/_core.cpython-311-darwin.so": universal(
                (CPU_X86_64, mac_module(cpu=CPU_X86_64, needed=["/usr/lib/libz.1.dylib"])),
                (CPU_ARM64, mac_module()),
            )
        },
        {"DIP605"},
    ),
    "Homebrew's library": (
        MAC,
        {"pair/_core.cpython-311-darwin.so": mac_module(needed=["/opt/homebrew/lib/libfoo.dylib"])},
        {"DIP606"},
    ),
    "own absolute name": (
        MAC,
        {"pair/.dylibs/libfoo.dylib": macho(install_name="/usr/local/lib/libfoo.dylib", signed=True)},
        {"DIP606"},
    ),
    "delocate's own name": (
        MAC,
        {"pair/.dylibs/libfoo.dylib": macho(install_name="/DLC/pair/.dylibs/libfoo.dylib", signed=True)},
        set(),
    ),
}


def codes_of(path: Path) -> dict[str, Severity]:
    evidence = gather(path, shown=path.name, host=None)
    return {finding.code: finding.severity for finding in judge(evidence, all_rules()).findings}


def wheel(folder: Path, name: str, files: Mapping[str, bytes]) -> Path:
    pure = name.endswith("-none-any.whl")
    text = f"Wheel-Version: 1.0\nRoot-Is-Purelib: {str(pure).lower()}\n"
    text += f"Tag: {name.removesuffix('.whl').partition('-1.2-')[2]}\n"
    info = "pair-1.2.dist-info"
    said = {
        f"{info}/METADATA": b"Metadata-Version: 2.4\nName: pair\nVersion: 1.2\n",
        f"{info}/WHEEL": text.encode(),
    }
    content = {**files, **said}
    return make_wheel(folder, {**content, f"{info}/RECORD": wheel_record(content, info)}, name=name)


@pytest.mark.parametrize("case", ELF_CASES)
def test_elf_wheels(case: str, tmp_path: Path) -> None:
    name, files, codes = ELF_CASES[case]
    assert set(codes_of(wheel(tmp_path, name, files))) == codes


@pytest.mark.parametrize("case", MACHO_CASES)
def test_macho_wheels(case: str, tmp_path: Path) -> None:
    name, files, codes = MACHO_CASES[case]
    assert set(codes_of(wheel(tmp_path, name, files))) == codes


def conda(folder: Path, files: Mapping[str, bytes], **index: object) -> Path:
    info = {**conda_info(files), "info/index.json": json.dumps({**INDEX, **index}).encode()}
    return make_conda(folder, files, info={**info, "info/paths.json": paths_json(files, {})})


CONDA_DEPENDS = ["python_abi 3.11.* *_cp311", "libgcc >=13", "libstdcxx >=13"]
SITE = "lib/python3.11/site-packages"


def test_conda_package_for_another_python(tmp_path: Path) -> None:
    files = {f"{SITE}/pair/_core.cpython-314-x86_64-linux-gnu.so": module()}
    assert set(codes_of(conda(tmp_path, files, depends=CONDA_DEPENDS))) == {"DIP105"}


@pytest.mark.parametrize(("floor", "codes"), [("2.17", {"DIP401"}), ("2.34", set()), ("2.35,<3", set())])
def test_conda_package_that_states_its_glibc(floor: str, codes: set[str], tmp_path: Path) -> None:
    data = module(needed=["libc.so.6"], symbols=(wants("libc.so.6", "GLIBC_2.34"),))
    depends = [*CONDA_DEPENDS, f"__glibc >={floor}"]
    path = conda(tmp_path, {f"{SITE}/pair/_core.{CP311}": data}, depends=depends)
    assert set(codes_of(path)) == codes


@pytest.mark.parametrize(("floor", "codes"), [("11.0", {"DIP604"}), ("12", set())])
def test_conda_package_that_states_its_macos(floor: str, codes: set[str], tmp_path: Path) -> None:
    files = {f"{SITE}/pair/_core.cpython-311-darwin.so": mac_module(minos=(12, 0))}
    depends = ["python_abi 3.11.* *_cp311", f"__osx >={floor}"]
    assert set(codes_of(conda(tmp_path, files, depends=depends, subdir="osx-arm64"))) == codes


def test_conda_package_that_is_well(tmp_path: Path) -> None:
    data = module(needed=["libstdc++.so.6", "libfoo.so.1"], rpath="$ORIGIN/../../../")
    files = {f"{SITE}/pair/_core.{CP311}": data}
    assert codes_of(conda(tmp_path, files, depends=[*CONDA_DEPENDS, "foo"])) == {}


def test_conda_package_with_runpath(tmp_path: Path) -> None:
    files = {f"{SITE}/pair/_core.{CP311}": module(runpath="$ORIGIN/../../..")}
    assert set(codes_of(conda(tmp_path, files, depends=CONDA_DEPENDS))) == {"DIP306"}


def test_conda_package_without_its_runtime(tmp_path: Path) -> None:
    files = {f"{SITE}/pair/_core.{CP311}": module(needed=["libstdc++.so.6"])}
    assert set(codes_of(conda(tmp_path, files, depends=CONDA_DEPENDS[:1]))) == {"DIP504"}


def test_noarch_with_a_binary(tmp_path: Path) -> None:
    found = codes_of(
        conda(tmp_path, {"site-packages/pair/_core.abi3.so": module()}, noarch="python", depends=["python"])
    )
    assert found == {"DIP501": Severity.ERROR}


def test_placeholder_is_no_absolute_path(tmp_path: Path) -> None:
    prefix = "/build/host_env_" + "placehold_" * 20
    files = {"lib/libfoo.so.1": elf(soname="libfoo.so.1", needed=["libc.so.6"], rpath=f"{prefix}/lib")}
    assert set(codes_of(conda(tmp_path, files, depends=[]))) == {"DIP516"}  # not registered


def test_a_module_beside_the_right_one_is_a_note(tmp_path: Path) -> None:
    files = {**member(module()), "pair/_core.cpython-314-x86_64-linux-gnu.so": module()}
    assert codes_of(wheel(tmp_path, TAG, files)) == {"DIP104": Severity.NOTE}


def test_system_folder_is_a_note_and_a_build_folder_an_error(tmp_path: Path) -> None:
    system = wheel(tmp_path, TAG, member(module(needed=["libc.so.6"], rpath="/usr/lib64")))
    assert codes_of(system) == {"DIP301": Severity.NOTE}
    build = wheel(tmp_path, TAG, member(module(needed=["libc.so.6"], rpath="/tmp/x")))  # noqa: S108 -- content
    assert codes_of(build) == {"DIP301": Severity.ERROR}


def test_a_wheel_before_repair_may_miss_its_library(tmp_path: Path) -> None:
    files = member(module(needed=["libfoo.so.1"]))
    assert codes_of(wheel(tmp_path, TAG, files)) == {"DIP307": Severity.ERROR}
    found = codes_of(wheel(tmp_path, "pair-1.2-cp311-cp311-linux_x86_64.whl", files))
    assert found == {"DIP307": Severity.DRIFT, "DIP403": Severity.DRIFT}


def environment(root: Path, packages: Mapping[str, tuple[list[str], Mapping[str, bytes]]]) -> Path:
    for name, (depends, files) in packages.items():
        for place, data in files.items():
            (root / place).parent.mkdir(parents=True, exist_ok=True)
            (root / place).write_bytes(data)
        record = {"name": name, "version": "1", "build": "0", "depends": depends, "files": list(files)}
        (root / "conda-meta").mkdir(parents=True, exist_ok=True)
        (root / "conda-meta" / f"{name}-1-0.json").write_text(json.dumps(record), encoding="utf-8")
    return root


FOO = elf(soname="libfoo.so.1", symbols=(Sym(name="f", defined=True),))
USER = module(needed=["libfoo.so.1"], rpath="$ORIGIN/../..", symbols=(Sym(name="f"),))


def test_environment_that_is_well(tmp_path: Path) -> None:
    packages = {
        "libfoo": ([], {"lib/libfoo.so.1": FOO}),
        "user": (["libfoo"], {f"{SITE}/_core.{CP311}": USER}),
    }
    assert codes_of(environment(tmp_path / "env", packages)) == {}


def test_environment_links_what_it_does_not_depend_on(tmp_path: Path) -> None:
    packages: dict[str, tuple[list[str], Mapping[str, bytes]]] = {
        "libfoo": ([], {"lib/libfoo.so.1": FOO}),
        "user": ([], {f"{SITE}/_core.{CP311}": USER}),
    }
    assert codes_of(environment(tmp_path / "one", packages)) == {"DIP504": Severity.DRIFT}
    packages["middle"] = (["libfoo"], {})
    packages["user"] = (["middle"], packages["user"][1])
    assert codes_of(environment(tmp_path / "two", packages)) == {"DIP504": Severity.NOTE}


def test_environment_depends_on_what_it_does_not_link(tmp_path: Path) -> None:
    packages = {
        "libfoo": ([], {"lib/libfoo.so.1": FOO}),
        "user": (["libfoo"], {f"{SITE}/_core.{CP311}": module()}),
    }
    assert codes_of(environment(tmp_path / "env", packages)) == {"DIP505": Severity.NOTE}


def test_environment_with_two_openmps_says_whose(tmp_path: Path) -> None:
    packages: dict[str, tuple[list[str], Mapping[str, bytes]]] = {
        "llvm-openmp": ([], {"lib/libomp.so": elf(soname="libomp.so")}),
        "grafter": ([], {f"{SITE}/g.libs/libgomp-0123abcd.so.1": elf(soname="libgomp-0123abcd.so.1")}),
    }
    evidence = gather(environment(tmp_path / "env", packages), shown="env", host=None)
    (finding,) = judge(evidence, all_rules()).findings
    assert finding.code == "DIP701"
    assert any("libomp.so (from llvm-openmp)" in line for line in finding.evidence)


def test_prefix_of_the_environment_is_no_stranger(tmp_path: Path) -> None:
    root = tmp_path / "env"
    data = elf(soname="libfoo.so.1", needed=["libc.so.6"], rpath=f"{root}/lib")
    assert codes_of(environment(root, {"libfoo": ([], {"lib/libfoo.so.1": data})})) == {}
