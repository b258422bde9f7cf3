"""The sanitizers of GCC and Clang: two commands that compile with one, and its runtime, which the tests' process is given first.

An interpreter that was compiled without a sanitizer has no runtime, so a module with one needs it preloaded (AddressSanitizer's wiki, "AddressSanitizerAsDso").
Manuals: gcc(1), ``-fsanitize``; Clang's pages AddressSanitizer, UndefinedBehaviorSanitizer and ThreadSanitizer.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from diptych import process
from diptych.config import CompilerSpec
from diptych.config.known import SanitizerKind
from diptych.distributions import how_to_install
from diptych.errors import MissingToolError, UnsupportedError
from diptych.store import Store
from diptych.wrappers import wrapped

NAMES: dict[SanitizerKind, str] = {
    "asan": "AddressSanitizer",
    "ubsan": "UndefinedBehaviorSanitizer",
    "tsan": "ThreadSanitizer",
}
"""What each calls itself in its reports."""

_FLAGS: dict[SanitizerKind, str] = {"asan": "address", "ubsan": "undefined", "tsan": "thread"}
_CLANG_RUNTIMES: dict[SanitizerKind, str] = {"asan": "asan", "ubsan": "ubsan_standalone", "tsan": "tsan"}
_ELF = b"\x7fELF"
_SECONDS = 60.0
# Clang links no runtime into a library, so what is undefined stays so until the tests; a linker that refuses that is not asked to.
_SCRIPT = """\
#!/bin/sh
for word; do
  shift
  case $word in
    -Wl,*-z,defs* | -Wl,*--no-undefined*)
      word=$(printf %s "$word" | sed 's/,-z,defs//g; s/,--no-undefined//g')
      [ "$word" != -Wl ] || continue ;;
  esac
  set -- "$@" "$word"
done
"""


@dataclass(frozen=True, kw_only=True)
class Sanitizer:
    """A sanitizer that works on this machine.

    Attributes:
        kind: which one.
        runtime: the shared library that a process needs before all others.
        symbolizer: the program that finds source lines; None where the runtime finds them itself.
    """

    kind: SanitizerKind
    runtime: Path
    symbolizer: Path | None

    def owns(self, library: str) -> bool:
        """Tell whether a needed library's name is that of the runtime: ``libasan.so.8`` for ``libasan.so``."""
        name = self.runtime.name.partition(".so")[0]
        return library.partition(".so")[0] == name


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is looked for.

    Attributes:
        kind: which sanitizer.
        name: what the table calls the compiler.
        clang: whether it is Clang; else it is GCC.
        release: its first number.
        machine: its processor, such as ``x86_64``.
        ask: returns the compiler's one line for an option such as ``-print-file-name=…``.
    """

    kind: SanitizerKind
    name: str
    clang: bool
    release: str
    machine: str
    ask: Callable[[str], str]


def require_platform(spec: CompilerSpec, platform: str) -> None:
    """Refuse a platform without LD_PRELOAD.

    Raises:
        UnsupportedError: it is not Linux.
    """
    if not platform.startswith("linux"):
        raise UnsupportedError(
            f'the compiler "{spec.name}" is for Linux, and this is {platform}',
            hint="exclude its cells in [tool.diptych], or run them on Linux",
        )


def found(request: Request, env: Mapping[str, str]) -> Sanitizer:
    """Find the runtime by asking the compiler, and see whether a process starts with it.

    Raises:
        MissingToolError: it is not there, naming the package that has it, or no process starts with it.
    """
    runtime = next(_runtimes(request), None)
    if runtime is None:
        what = how_to_install(
            "clang sanitizers" if request.clang else "gcc sanitizers",
            number=request.release if request.name.count("-") > 1 else "",
        )
        raise MissingToolError(
            f'the compiler "{request.name}" has no runtime of {NAMES[request.kind]}: {", ".join(_names(request))} was not found',
            hint=what,
        )
    _require_working(request, runtime, env)
    return Sanitizer(
        kind=request.kind, runtime=runtime, symbolizer=_symbolizer(request, env) if request.clang else None
    )


def commands(spec: CompilerSpec, sanitizer: Sanitizer, *, clang: bool, store: Store) -> CompilerSpec:
    """Return the compiler with two commands that compile with the sanitizer, which are written if they are not there.

    Args:
        spec: with the paths of both compilers.
        sanitizer: what is added.
        clang: whether it is Clang.
        store: where the commands lie.
    """
    flags = f"-fsanitize={_FLAGS[sanitizer.kind]} -fno-omit-frame-pointer -g"
    head = _SCRIPT if clang else "#!/bin/sh\n"
    names = ("clang", "clang++") if clang else ("gcc", "g++")
    scripts = {
        f"{name}-{sanitizer.kind}": f'{head}exec {shlex.quote(program or "")} {flags} "$@"\n'
        for name, program in zip(names, (spec.cc, spec.cxx), strict=True)
    }
    return wrapped(spec, scripts, store=store)


def _names(request: Request) -> tuple[str, ...]:
    if not request.clang:
        return (f"lib{request.kind}.so",)
    name = f"libclang_rt.{_CLANG_RUNTIMES[request.kind]}"
    return (f"{name}-{request.machine}.so", f"{name}.so")


def _runtimes(request: Request) -> Iterator[Path]:
    for name in _names(request):
        path = Path(request.ask(f"-print-file-name={name}"))
        if path.is_absolute() and path.is_file():
            yield from _library(path)


def _library(path: Path) -> Iterator[Path]:
    """Yield the library itself: Fedora's GCC has a linker script of that name (ld(1), "Implicit Linker Scripts")."""
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith(_ELF):
        yield path.resolve()
        return
    named = (Path(word) for word in re.findall(r"/[^\s()]+", head.decode(errors="replace")))
    yield from (one.resolve() for one in named if ".so" in one.name and one.is_file())


def _require_working(request: Request, runtime: Path, env: Mapping[str, str]) -> None:
    clean = {
        "PATH": env.get("PATH", ""),
        "LD_PRELOAD": preload_word(runtime),
        "ASAN_OPTIONS": "detect_leaks=0",
    }
    done = process.run(["true"], env=clean, cwd=runtime.parent, check=False, timeout=_SECONDS)
    if done.returncode == 0:
        return
    mapping = "unexpected memory mapping" in done.output
    raise MissingToolError(
        f'the compiler "{request.name}" cannot be used: no program starts with its runtime, {runtime}',
        details=done.output.splitlines()[-5:] or [f"`true` ended with {done.returncode}"],
        hint="the kernel spreads addresses wider than it knows: `sudo sysctl vm.mmap_rnd_bits=28`"
        if mapping
        else f"another release of it, such as clang-16-{request.kind}, or gcc-{request.kind}",
    )


def preload_word(path: Path) -> str:
    """Return what LD_PRELOAD is told for a library: ld.so(8) splits its value at blanks and colons, and a bare name is searched for."""
    return path.name if re.search(r"[\s:]", str(path)) else str(path)


def _symbolizer(request: Request, env: Mapping[str, str]) -> Path | None:
    """Return Clang's own ``llvm-symbolizer``, another one, or ``addr2line``: its runtimes can use both."""
    own = Path(request.ask("-print-prog-name=llvm-symbolizer"))
    if own.is_absolute() and own.is_file():
        return own
    return process.which_versioned("llvm-symbolizer", env) or process.which("addr2line", env)
