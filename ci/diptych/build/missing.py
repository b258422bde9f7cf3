"""When a build has failed: what it lacked of its sources, which its own messages name late or not at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from diptych.build.sources import missing_submodules

# CMake's file(DOWNLOAD) and ExternalProject, git, curl's words in both, pip and uv.
_NO_NETWORK = re.compile(
    r"Could not resolve host|Couldn't resolve host|Failed to connect to|Failed to clone repository|Name or service not known"
    r"|unable to access '|error: downloading '|Each download failed",
    re.IGNORECASE,
)
# maturin, its helper puccinialin, and setuptools-rust.
_NO_RUST = re.compile(
    r"Rust not found, installing into a temporary|Cargo, the Rust package manager, is not installed|can't find Rust compiler",
    re.IGNORECASE,
)
# FetchContent's own steps: "Build step for json failed: 2", and the folders and targets that it names.
_FETCHED = re.compile(r"(?:Build step for |FetchContent_Populate\(|-- Populating )([\w.+-]+)", re.IGNORECASE)
_SUBBUILD = re.compile(r"_deps/([\w.+-]+)-subbuild")


@dataclass(frozen=True, kw_only=True)
class Lacking:
    """What was not there.

    Attributes:
        detail: a line for the message.
        hint: the next step.
    """

    detail: str
    hint: str


def lacking(source: Path, output: str, *, env: Mapping[str, str]) -> Lacking | None:
    """Tell which part of its sources a failed build did without; None when nothing shows.

    Args:
        source: the project.
        output: what the tools printed.
        env: for git.
    """
    if missing := missing_submodules(source, env=env):
        return Lacking(
            detail=f"not fetched: the submodules {', '.join(missing)}",
            hint="git submodule update --init --recursive",
        )
    if _NO_RUST.search(output):
        return Lacking(
            detail="the backend compiles with Rust, and there is no cargo",
            hint='install it (https://rustup.rs) and have it on PATH, or let the table say host = ["rust"]',
        )
    if not _NO_NETWORK.search(output):
        return None
    if names := sorted({*_FETCHED.findall(output), *_SUBBUILD.findall(output)}):
        settings = ", ".join(f"-DFETCHCONTENT_SOURCE_DIR_{name.upper()}=FOLDER" for name in names)
        return Lacking(
            detail=f"CMake downloads while it configures (FetchContent), and the network did not answer: {', '.join(names)}",
            hint=f"name its conda package in tool.diptych.host, or give CMake a copy: {settings}",
        )
    return Lacking(
        detail="the build downloads something, and the network did not answer",
        hint="fetch it before, or name its conda package in tool.diptych.host",
    )
