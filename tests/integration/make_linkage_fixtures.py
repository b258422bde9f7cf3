"""Make the experiments X1 to X6 with a real compiler and linker: ``python make_linkage_fixtures.py FOLDER``.

Each is a wheel (X5 is about loading: tests/integration/test_closure_against_ld.py has it). Mach-O comes from ``ziglang``.
"""

from __future__ import annotations

import base64
import hashlib
import os
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

from diptych import process

# An extension module in C++ that needs no header: what it says to the linker is all that matters.
MODULE = """\
extern "C" int puts(const char *);
extern "C" void *PyModule_Create2(void *, int);
extern "C" void *Py_BuildValue(const char *, ...);
extern "C" __attribute__((visibility("default"))) void *PyInit__core() {
  puts("loading");
  return Py_BuildValue("i", 1) ? PyModule_Create2(0, 0) : 0;
}
"""
C_API = 'extern "C" { void *PyModule_Create2(void *, int) { return 0; } void *Py_BuildValue(const char *, ...) { return 0; } }\n'
INTERPRETER = """\
extern "C" { void Py_Initialize() {} void Py_InitializeEx(int) {} int _Py_NoneStruct[4]; int PyType_Type[100]; int _PyRuntime[9]; }
"""
CP311 = "cpython-311-x86_64-linux-gnu.so"
WHEEL = "lib-1.0-cp311-cp311-linux_x86_64.whl"


def run(*words: str | Path) -> None:
    process.run(words, env=os.environ, cwd=Path.cwd())  # noqa: TID251 -- a script


def compiled(
    folder: Path, name: str, source: str, *flags: str | Path, compiler: tuple[str, ...] = ("g++",)
) -> Path:
    """Compile and link a shared object."""
    folder.mkdir(parents=True, exist_ok=True)
    code = folder / f"{name}.cpp"
    code.write_text(source, encoding="utf-8")
    target = folder / name
    run(*compiler, "-shared", "-fPIC", "-O1", "-o", target, code, *flags)
    code.unlink()
    return target


def wheel(path: Path, files: Mapping[str, Path]) -> Path:
    """Pack a wheel whose RECORD is right: auditwheel and delocate read it."""
    name = path.name.split("-")[0]
    info = f"{name}-1.0.dist-info"
    tag = path.name.removesuffix(".whl").split("-", 2)[2]
    contents = {place: file.read_bytes() for place, file in files.items()}
    contents[f"{name}/__init__.py"] = b""
    contents[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode()
    contents[f"{info}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()
    )
    rows = [f"{place},sha256={_digest(data)},{len(data)}" for place, data in contents.items()]
    contents[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, data in contents.items():
            archive.writestr(place, data)
    return path


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def x1(folder: Path, python: str = "3.14t") -> Path:
    """A module linked to a libpython: to the free-threaded one, unless another is named."""
    fake = compiled(
        folder / "x1", f"libpython{python}.so.1.0", C_API, f"-Wl,-soname,libpython{python}.so.1.0"
    )
    module = compiled(folder / "x1", "_core.so", MODULE, "-Wl,--no-as-needed", fake)
    return wheel(folder / "x1" / WHEEL, {f"lib/_core.{CP311}": module})


def x2(folder: Path) -> Path:
    """An absolute run path, and nothing to graft."""
    module = compiled(folder / "x2", "_core.so", MODULE, "-Wl,-rpath,/opt/conda/envs/build/lib")
    return wheel(folder / "x2" / WHEEL, {f"lib/_core.{CP311}": module})


def x3(folder: Path) -> Path:
    """A module that is named for another Python than the wheel."""
    module = compiled(folder / "x3", "_core.so", MODULE)
    return wheel(folder / "x3" / WHEEL, {"lib/_core.cpython-314-x86_64-linux-gnu.so": module})


def x4(folder: Path, *, hidden: bool = False) -> Path:
    """An interpreter absorbed; hidden: out of the dynamic table, as ``--exclude-libs ALL`` leaves it."""
    place = folder / ("x4-hidden" if hidden else "x4")
    flags = ["-fvisibility=hidden"] if hidden else []
    module = compiled(place, "_core.so", MODULE + INTERPRETER, *flags)
    return wheel(place / WHEEL, {f"lib/_core.{CP311}": module})


def x6(folder: Path) -> Path:
    """A need for GLIBCXX_3.4.34, which no policy admits: gcc 15's libstdc++ is stood in for by a library with that version."""
    place = folder / "x6"
    place.mkdir(parents=True, exist_ok=True)
    script = place / "versions"
    script.write_text("GLIBCXX_3.4.34 { global: *; };\n", encoding="utf-8")
    newer = compiled(
        place,
        "libnew.so",
        'extern "C" void newest() {}\n',
        f"-Wl,--version-script={script}",
        "-Wl,-soname,libstdc++.so.6",
        "-nostdlib",
    )
    source = 'extern "C" void newest(); extern "C" __attribute__((used)) void use() { newest(); }\n'
    module = compiled(place, "_core.so", MODULE + source, "-nodefaultlibs", newer, "-lc")
    return wheel(place / WHEEL, {f"lib/_core.{CP311}": module})


def unused(folder: Path) -> Path:
    """A library that the linker was told of and that is not used, for auditwheel to graft."""
    place = folder / "unused"
    graph = compiled(
        place, "libgraph.so.1", 'extern "C" int graph(int x) { return x; }\n', "-Wl,-soname,libgraph.so.1"
    )
    module = compiled(place, "_core.so", MODULE, "-Wl,--no-as-needed", graph)
    return wheel(place / WHEEL, {f"lib/_core.{CP311}": module})


def boost_split(folder: Path) -> Path:
    """Two modules, each with a static Boost.Python's registry."""
    registry = (
        "namespace boost { namespace python { namespace converter { namespace registry {\n"
        '__attribute__((visibility("default"))) void insert(void *) {}\n} } } }\n'
    )
    place = folder / "boost"
    modules = {
        f"lib/_{name}.{CP311}": compiled(
            place, f"_{name}.so", MODULE.replace("PyInit__core", f"PyInit__{name}") + registry
        )
        for name in "ab"
    }
    return wheel(place / WHEEL, modules)


def static_runtime(folder: Path, *flags: str) -> Path:
    """Pain 10: libstdc++ linked statically into one module, beside another that takes the system's."""
    place = folder / "static-runtime"
    stream = '#include <iostream>\nextern "C" void *PyInit__NAME() { std::cout << "loading"; return 0; }\n'
    inside, outside = (
        compiled(place, f"_{name}.so", stream.replace("NAME", name), *options)
        for name, options in (("a", ("-static-libstdc++", "-static-libgcc", *flags)), ("b", ()))
    )
    return wheel(place / WHEEL, {f"lib/_a.{CP311}": inside, f"lib/_b.{CP311}": outside})


def hidden_runtime(folder: Path, *flags: str, both: bool = False) -> Path:
    """A module that catches an exception and lets its library, which uses the system's libstdc++, say what it is.

    Args:
        folder: where it goes.
        flags: of the module.
        both: the library gets them too.
    """
    place = folder / "hidden-runtime"
    header = "#include <stdexcept>\n#include <string>\nint translate();\n"
    body = "int translate() { try { throw; } catch (const std::exception &e) { return std::string(e.what()).size(); } }\n"
    library = compiled(
        place, "libpot.so.1", header + body, "-Wl,-soname,libpot.so.1", *(flags if both else ())
    )
    use = (
        'extern "C" int PyInit__core() { try { throw std::runtime_error("seven!!"); }'
        " catch (...) { return translate(); } }\n"
    )
    module = compiled(place, "_core.so", header + use, "-Wl,-rpath,$ORIGIN", library, *flags)
    return wheel(place / WHEEL, {f"lib/_core.{CP311}": module, "lib/libpot.so.1": library})


def other_string(folder: Path, *, module_abi: int = 1) -> Path:
    """Pain 7: a module and a library that were compiled with different ``_GLIBCXX_USE_CXX11_ABI``."""
    place = folder / f"cxx11-{module_abi}"
    words = '#include <string>\n#define API __attribute__((visibility("default")))\n'
    header = "namespace pot { API std::string name(); API int size(const std::string &); }\n"
    body = "std::string pot::name() { return {}; } int pot::size(const std::string &x) { return x.size(); }\n"
    library = compiled(
        place,
        "libpot.so.1",
        words + header + body,
        f"-D_GLIBCXX_USE_CXX11_ABI={1 - module_abi}",
        "-Wl,-soname,libpot.so.1",
    )
    use = 'extern "C" void *PyInit__core() { return pot::size(pot::name()) ? 0 : (void *) 1; }\n'
    module = compiled(
        place,
        "_core.so",
        words + header + use,
        f"-D_GLIBCXX_USE_CXX11_ABI={module_abi}",
        "-Wl,-rpath,$ORIGIN",
        library,
    )
    return wheel(place / WHEEL, {f"lib/_core.{CP311}": module, "lib/libpot.so.1": library})


MAC = "lib-1.0-cp311-cp311-macosx_11_0_arm64.whl"


def bundle(
    folder: Path, name: str, *flags: str | Path, target: str = "aarch64-macos.11.0", source: str = MODULE
) -> Path:
    """Link a Mach-O library with zig; Python's symbols are left to the process that loads it."""
    compiler = (
        sys.executable,
        "-m",
        "ziglang",
        "c++",
        "-target",
        target,
        "-undefined",
        "dynamic_lookup",
        "-nostdlib++",
    )
    return compiled(
        folder,
        name,
        source,
        "-Wl,-headerpad_max_install_names",
        f"-Wl,-install_name,@rpath/{name}",
        *flags,
        compiler=compiler,
    )


def mac(
    folder: Path, name: str, *flags: str | Path, target: str = "aarch64-macos.11.0", tag: str = MAC
) -> Path:
    """A macOS wheel with one module."""
    module = bundle(folder / name, "_core.so", *flags, target=target)
    return wheel(folder / name / tag, {"lib/_core.cpython-311-darwin.so": module})


ALL = {
    "x1": x1,
    "x2": x2,
    "x3": x3,
    "x4": x4,
    "x6": x6,
    "unused": unused,
    "boost": boost_split,
    "static-runtime": static_runtime,
    "other-string": other_string,
}

if __name__ == "__main__":
    for make in ALL.values():
        sys.stdout.write(f"{make(Path(sys.argv[1]))}\n")
