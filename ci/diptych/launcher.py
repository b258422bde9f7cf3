"""A compiler launcher: an object file that the same command has made from the same files is taken again.

CMake puts it before each call of the compiler (cmake-envvars(7), ``CMAKE_<LANG>_COMPILER_LAUNCHER``). Its words come as ``-I -S launcher.py
ORDER COMPILER ARGUMENT…``; see :func:`_order`. It starts for each object, so it imports little.

What differs between two cells is only where things lie: build tree, sources, host environment. In the key these paths go by stable names.
An object is kept when it holds none of them, so that it is the same wherever it was compiled; and it is taken only when every file that went
in has the same content, and every name that was looked for is still found at the same place: a new header before an old one, or one that
``__has_include`` asks for, makes a miss. A command with an option that is not known to be safe is run as it is.
Of cells that are at work together, one runs a command and the others wait for its object.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import subprocess  # noqa: TID251 -- a program of its own: it runs the compiler
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

_FORMAT = b"1"
_UNKEPT = b"unkept"
_MOST = 8
"""Results of one command that are kept: of that many different contents of the files that it reads."""
# Options whose value is a path, glued or as the next word; the paths of the outputs are not part of the key.
_SEARCH = (
    "-I",
    "-isystem",
    "-iquote",
    "-idirafter",
    "-include",
    "-imacros",
    "-iprefix",
    "--sysroot=",
    "-isysroot",
)
_OUTPUTS = ("-o", "-MF", "-MT", "-MQ")
_MAPS = ("-ffile-prefix-map=", "-fdebug-prefix-map=", "-fmacro-prefix-map=")
# With -flto and -gz the object is packed, so that a path in it could not be seen.
_UNSAFE = re.compile(
    r"@|-flto|-E$|-S$|-M$|-MM|-MP$|-MG$|-MJ|-fprofile|--coverage|-ftest-coverage|-gsplit|-gz|-save-temps|-fmodule|-fplugin|-include-pch|-Xclang$|-emit|-dump|-aux"
    r"|-specs|-wrapper|-Wp,|-Wa,|-fdump|-ftime-trace|-fcallgraph|-fstack-usage|-x$|-frecord-gcc|-m(arch|tune|cpu)=native"
)
_SOURCE = re.compile(r"\.(c|cc|cpp|cxx|c\+\+|C)$")
# What makes two compilations of the same files differ, or reads a file that no list of headers names.
_VOLATILE = re.compile(rb"__(DATE|TIME|TIMESTAMP)__|\.incbin|#\s*embed|__has_embed|#\s*pragma\s+GCC\s+pch")
_ASKED = re.compile(rb"__has_include(?:_next)?\s*\(\s*(?:[<\"]([^>\"\n]+)[>\"]|([A-Za-z_]\w*))")
_DEFINED = re.compile(rb"#\s*define\s+(\w+)\s+[<\"]([^>\"\n]+)[>\"]")
# gcc(1) "Environment Variables"; clang's and Apple's own.
_VARIABLES = (
    "CCC_OVERRIDE_OPTIONS",
    "COMPILER_PATH",
    "DEVELOPER_DIR",
    "GCC_EXEC_PREFIX",
    "MACOSX_DEPLOYMENT_TARGET",
    "SDKROOT",
)
_SEARCH_VARIABLES = ("CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH")


class _Skip(Exception):  # noqa: N818 -- no error: the command is run as it is
    """The command is none whose result can be kept."""


class _Names:
    """The paths of this cell and what stands for them in a key, the longest path first."""

    def __init__(self, names: list[tuple[str, str]]) -> None:
        both = {(path, name) for given, name in names for path in (given, os.path.realpath(given))}
        self.pairs = sorted(both, key=lambda pair: (-len(pair[0]), pair))

    def put(self, path: str) -> str:
        """Return the path under its stable name."""
        for here, name in self.pairs:
            if path == here or path.startswith(here + "/"):
                return name + path[len(here) :]
        return path

    def back(self, name: str) -> str:
        """Return where it lies here."""
        for here, stable in self.pairs:
            if name == stable or name.startswith(stable + "/"):
                return here + name[len(stable) :]
        return name

    def in_bytes(self, content: bytes) -> bool:
        """Tell whether one of the paths is part of the content."""
        return any(os.fsencode(here) in content for here, _ in self.pairs)


class _Command:
    """A compiler's command, taken apart.

    Attributes:
        key: its words as they go into the key.
        source: the one file that it compiles.
        output: the object.
        listing: where the compiler lists what it has read (-MF); empty for nowhere.
        target: the object's name in that list.
        folders: where headers are searched, in order.
    """

    def __init__(self, words: list[str], names: _Names, env: dict[str, str]) -> None:
        self.key: list[str] = []
        self.source = self.output = self.listing = self.target = ""
        quoted: list[str] = []
        searched: list[str] = []
        after: list[str] = []
        rest = iter(words)
        for word in rest:
            if _UNSAFE.match(word):
                raise _Skip
            option = next((one for one in (*_OUTPUTS, *_SEARCH) if word.startswith(one)), None)
            if option is None:
                self._plain(word, names)
                continue
            value = word[len(option) :] or next(rest, "")
            if option in _OUTPUTS:
                self._output(option, value)
                continue
            self.key += [option, names.put(value)]
            {"-iquote": quoted, "-I": searched}.get(
                option, after if option == "-idirafter" else searched
            ).append(value)
        if (
            not self.source
            or not self.output
            or "-c" not in self.key
            or ("-MD" in self.key and not self.listing)
        ):
            raise _Skip
        given = [folder for name in _SEARCH_VARIABLES for folder in env.get(name, "").split(":") if folder]
        self.folders = [*quoted, *searched, *given, *after]
        self.key += [
            f"{name}={':'.join(map(names.put, env.get(name, '').split(':')))}" for name in _SEARCH_VARIABLES
        ]
        self.target = self.target or self.output

    def _plain(self, word: str, names: _Names) -> None:
        option = next((one for one in _MAPS if word.startswith(one)), None)
        if option:
            path, _, name = word[len(option) :].partition("=")
            self.key.append(f"{option}{names.put(path)}={name}")
        elif not word.startswith("-") and _SOURCE.search(word):
            if self.source:
                raise _Skip
            self.source = word
            self.key.append(names.put(os.path.abspath(word)))
        elif word.startswith("-"):
            self.key.append(word)
        else:
            raise _Skip  # another operand, or the value of an option that is not known here

    def _output(self, option: str, value: str) -> None:
        if option == "-o":
            self.output = value
        elif option == "-MF":
            self.listing = value
        else:
            self.target = value


def _order(path: str) -> dict[str, Any]:
    """Read what :mod:`diptych.build.objects` has written: ``objects``, ``names``, ``compiler``, ``counts``."""
    found: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return found


def _key(order: dict[str, Any], command: _Command, compiler: str, names: _Names) -> str:
    state = hashlib.sha256(_FORMAT)
    parts = [json.dumps(order["compiler"], sort_keys=True), compiler, names.put(os.getcwd()), *command.key]
    parts += [f"{name}={os.environ.get(name, '')}" for name in _VARIABLES]  # noqa: TID251 -- as above
    for part in parts:
        state.update(part.encode(errors="surrogateescape") + b"\0")
    state.update(_sha(command.source).encode())
    return state.hexdigest()


def _sha(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return ""


def _found(name: str, folders: list[str]) -> str:
    """Return where a header's name leads: the first of the folders that has it; empty for none."""
    for folder in folders:
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            return path
    return ""


def _beside(headers: list[str], command: _Command, names: _Names) -> list[str]:
    """Return the folders where a quoted name is looked for first: those of the project's files that were read."""
    folders = [
        os.path.dirname(path)
        for path in (command.source, *headers)
        if names.put(path).startswith(("/source", "/build"))
    ]
    return list(dict.fromkeys(folders))


def _lookups(headers: list[str], asked: set[str], command: _Command, names: _Names) -> dict[str, list[str]]:
    """Return what each name that was looked for leads to now, under stable names: in the search path, and beside the project's files."""
    beside = _beside(headers, command, names)
    looked = set(asked)
    for header in headers:
        looked.update(
            header[len(folder) + 1 :]
            for folder in command.folders
            if header.startswith(folder.rstrip("/") + "/")
        )
    return {name: _places(name, beside, command, names) for name in sorted(looked)}


def _places(name: str, beside: list[str], command: _Command, names: _Names) -> list[str]:
    near = [folder for folder in beside if os.path.isfile(os.path.join(folder, name))]
    return [names.put(_found(name, command.folders)), *sorted(map(names.put, near))]


def _holds(kept: dict[str, Any], command: _Command, names: _Names) -> bool:
    """Tell whether what was read then is the same now."""
    headers = [names.back(name) for name, _ in kept["headers"]]
    if any(_sha(path) != sha for path, (_, sha) in zip(headers, kept["headers"], strict=True)):
        return False
    beside = _beside(headers, command, names)
    return all(_places(name, beside, command, names) == places for name, places in kept["lookups"].items())


def _take(folder: Path, command: _Command, names: _Names) -> bool:
    for file in sorted(folder.glob("*.json"), key=lambda one: one.stat().st_mtime, reverse=True):
        try:
            kept = json.loads(file.read_text(encoding="utf-8"))
            content = file.with_suffix(".o").read_bytes()
        except (OSError, ValueError):
            continue
        if hashlib.sha256(content).hexdigest() == kept["object"] and _holds(kept, command, names):
            if command.listing:
                headers = [names.back(name) for name, _ in kept["headers"]]
                _replace(
                    command.listing,
                    _listed(command.target, [command.source, *headers]).encode(errors="surrogateescape"),
                )
            _replace(command.output, content)
            sys.stderr.buffer.write(kept["words"].encode("latin-1"))
            for one in (file, file.with_suffix(".o")):  # what was not used for the longest time goes first
                os.utime(one)
            return True
    return False


def _run(compiler: str, words: list[str], command: _Command) -> tuple[int, bytes, list[str]]:
    """Compile; return the exit code, what the compiler said, and the headers that it has read."""
    more = [] if command.listing else ["-MD", "-MF", f"{command.output}.{os.getpid()}.d"]
    done = subprocess.run([compiler, *words, *more], stderr=subprocess.PIPE, check=False)
    sys.stderr.buffer.write(done.stderr)
    listing = Path(command.listing or more[-1])
    headers = _read(listing)[1:] if done.returncode == 0 and listing.is_file() else []
    if more:
        listing.unlink(missing_ok=True)
    return done.returncode, done.stderr, headers


def _keep(
    folder: Path, command: _Command, names: _Names, headers: list[str], words: bytes, started: float
) -> bool:
    """Keep the object, unless it, or what it was made from, forbids it; tell whether it was kept."""
    content = Path(command.output).read_bytes()
    if names.in_bytes(content):
        return False
    texts = {path: Path(path).read_bytes() for path in (command.source, *headers)}
    # A file that was written meanwhile may not be what the compiler has read.
    if any(_VOLATILE.search(text) or Path(path).stat().st_mtime > started for path, text in texts.items()):
        return False
    asked = _asked(texts)
    if asked is None:
        return False
    kept = {
        "headers": [[names.put(path), hashlib.sha256(texts[path]).hexdigest()] for path in headers],
        "lookups": _lookups(headers, asked, command, names),
        "object": hashlib.sha256(content).hexdigest(),
        "words": words.decode("latin-1"),
    }
    record = json.dumps(kept).encode()
    folder.mkdir(parents=True, exist_ok=True)
    name = folder / hashlib.sha256(record).hexdigest()[:16]
    _replace(f"{name}.o", content)
    _replace(f"{name}.json", record)
    for file in sorted(folder.glob("*.json"), key=lambda one: one.stat().st_mtime)[:-_MOST]:
        file.unlink(missing_ok=True)
        file.with_suffix(".o").unlink(missing_ok=True)
    return True


@contextlib.contextmanager
def _turn(folder: Path) -> Iterator[IO[bytes] | None]:
    """Wait until nobody else runs the command whose objects are in this folder; None where nothing can be locked.

    Nobody waits where the last one could not keep its object. The lock goes with the process that holds it (flock(2)).
    """
    with contextlib.ExitStack() as stack:
        file: IO[bytes] | None = None
        with contextlib.suppress(OSError):
            folder.parent.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(folder.with_suffix(".lock").open("a+b"))
            file.seek(0)
            if file.read() != _UNKEPT:
                fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _say(file: IO[bytes] | None, *, kept: bool) -> None:
    """Leave for those that wait, or come later, whether waiting is worth it."""
    if file is not None:
        file.truncate(0)
        file.write(b"" if kept else _UNKEPT)
        file.flush()


def _asked(texts: dict[str, bytes]) -> set[str] | None:
    """Return the names that ``__has_include`` asks for; None where one cannot be told.

    A macro stands for every name that one of the files defines it as (Boost.Config has some). What the system's own headers ask
    for by a macro's parameter is the system's.
    """
    names: set[bytes] = set()
    macros: set[bytes] = set()
    for path, text in texts.items():
        for name, macro in _ASKED.findall(text):
            names.update([name] if name else [])
            macros.update([macro] if macro and not path.startswith("/usr/") else [])
    if macros:
        defined = [pair for text in texts.values() for pair in _DEFINED.findall(text) if pair[0] in macros]
        if {macro for macro, _ in defined} != macros:
            return None
        names.update(name for _, name in defined)
    return {name.decode(errors="surrogateescape") for name in names}


def _replace(path: str, content: bytes) -> None:
    temporary = Path(f"{path}.{os.getpid()}.tmp")
    temporary.write_bytes(content)
    temporary.replace(path)


def _read(listing: Path) -> list[str]:
    """Return the files that a make rule names after its target; a blank in a name is escaped."""
    text = listing.read_text(encoding="utf-8", errors="surrogateescape").replace("\\\n", " ")
    words = re.findall(r"(?:\\.|\$\$|[^\s\\])+", text.partition(": ")[2])
    return [os.path.abspath(re.sub(r"\\(.)", r"\1", word).replace("$$", "$")) for word in words]


def _listed(target: str, files: list[str]) -> str:
    escaped = [re.sub(r"([ #\\])", r"\\\1", one).replace("$", "$$") for one in files]
    return f"{target}: " + " \\\n ".join(escaped) + "\n"


def _count(order: dict[str, Any], what: str) -> None:
    with Path(order["counts"]).open("a", encoding="utf-8") as file:
        file.write(f"{what}\n")


def main(argv: list[str]) -> int:
    """Run one command of a compiler, or take what an equal one has left; return its exit code."""
    order, compiler, words = _order(argv[1]), argv[2], argv[3:]
    names = _Names([(path, name) for path, name in order["names"]])
    try:
        command = _Command(words, names, dict(os.environ))  # noqa: TID251 -- as above
    except _Skip:
        os.execv(compiler, [compiler, *words])  # noqa: S606 -- as above
    key = _key(order, command, compiler, names)
    folder = Path(order["objects"]) / key[:2] / key
    if _take(folder, command, names):
        _count(order, "taken")
        return 0
    with _turn(folder) as file:
        if _take(folder, command, names):  # what was waited for
            _count(order, "taken")
            return 0
        started = time.time()
        code, said, headers = _run(compiler, words, command)
        if code == 0:
            _count(order, "compiled")
            with contextlib.suppress(
                OSError
            ):  # a full disk, a folder that is read-only: the object itself is there
                _say(file, kept=_keep(folder, command, names, headers, said, started))
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv))
