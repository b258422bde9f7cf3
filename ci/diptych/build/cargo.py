"""Rust for backends that compile with it: the person's own cargo, when the project's build requirements ask for one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from diptych import process
from diptych.config.buildsystem import build_system_of

_BACKENDS = frozenset({"maturin", "setuptools-rust"})
# conda's platform → the target of rustc, as cargo's variables spell it (The Cargo Book, "Environment Variables").
_TARGETS = {
    "linux-64": "X86_64_UNKNOWN_LINUX_GNU",
    "linux-aarch64": "AARCH64_UNKNOWN_LINUX_GNU",
    "linux-ppc64le": "POWERPC64LE_UNKNOWN_LINUX_GNU",
    "osx-64": "X86_64_APPLE_DARWIN",
    "osx-arm64": "AARCH64_APPLE_DARWIN",
}


@dataclass(frozen=True, kw_only=True)
class Cargo:
    """Rust's package manager on this machine.

    Attributes:
        program: where it is.
        version: what it says of itself.
    """

    program: Path
    version: str


def cargo_of(source: Path, env: Mapping[str, str]) -> Cargo | None:
    """Return the cargo that a person has, where the project's backend compiles with Rust; a ``rust`` in the host environment comes first.

    Args:
        source: the project.
        env: the process environment.
    """
    if not _BACKENDS & set(map(_name, build_system_of(source).requires)):
        return None
    program = process.which("cargo", env)
    if program is None:
        return None
    done = process.run([program, "--version"], env=env, cwd=source, check=False)
    return Cargo(program=program, version=done.output.strip()) if done.returncode == 0 else None


def linking(*, platform: str, linker: Path) -> dict[str, str]:
    """Return what lets cargo link with the cell's compiler."""
    target = _TARGETS.get(platform)
    return {f"CARGO_TARGET_{target}_LINKER": str(linker)} if target else {}


def _name(requirement: str) -> str:
    try:
        return canonicalize_name(Requirement(requirement).name)
    except InvalidRequirement:
        return ""
