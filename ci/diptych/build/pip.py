"""Virtual environments and what is installed into them: by uv, which Diptych depends on, or by pip where uv is not there.

pip's own settings hold for both. Where one of them has no word in uv, pip does the work: so nothing that a person has set
is dropped. uv is looked for beside the running interpreter only, never on the PATH.
"""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from diptych import process
from diptych.store import discard

_UV_WORDS = {
    "cert": "SSL_CERT_FILE",
    "constraint": "UV_CONSTRAINT",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "index-url": "UV_DEFAULT_INDEX",
    "no-index": "UV_NO_INDEX",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "timeout": "UV_HTTP_TIMEOUT",
}
"""pip's settings (pip config) and uv's variables for the same (docs.astral.sh/uv/reference/environment)."""
_OF_NO_MATTER = frozenset(
    {"cache-dir", "disable-pip-version-check", "no-cache-dir", "no-color", "no-input", "progress-bar", "quiet",
     "require-virtualenv", "retries", "root-user-action", "verbose"}
)  # fmt: skip


def make_venv(python: Path, prefix: Path, *, env: Mapping[str, str], log: Path) -> Path:
    """Make a plain virtual environment without pip; return its interpreter.

    Raises:
        ProcessError: the interpreter cannot be started, or has no :mod:`venv`.
    """
    uv = find_uv()
    command: list[str | Path] = (
        [uv, "venv", "--quiet", "--no-project", "--no-python-downloads", "--python", python, prefix]
        if uv
        else [python, "-m", "venv", "--without-pip", prefix]
    )
    process.run(command, env=env, cwd=prefix.parent, log=log)
    return prefix / "bin" / "python"


def install(python: Path, requirements: Sequence[str | Path], *, env: Mapping[str, str], log: Path) -> None:
    """Install into the environment of ``python``; nothing to install is fine.

    Raises:
        ProcessError: with the last lines of uv or pip.
    """
    if not requirements:
        return
    # Copies, as pip makes them: tests that write into an installed file must not reach uv's cache.
    words = ("install", "--link-mode", "copy", "--python", python, *requirements)
    if not _by_uv(words, env=env, log=log):
        process.run([*pip_install(python), *requirements], env=env, cwd=log.parent, log=log)


def lock(
    python: Path, requirements: Sequence[str], target: Path, *, env: Mapping[str, str], log: Path
) -> None:
    """Resolve requirements for an interpreter once, and write them with hashes, as ``install -r`` reads them.

    Raises:
        ProcessError: they cannot be satisfied.
    """
    wanted = target.with_suffix(".in")
    wanted.write_text("\n".join([*requirements, ""]), encoding="utf-8")
    form = ("--generate-hashes", "--no-annotate", "--no-header")
    words = ("compile", *form, "--python", python, "--output-file", target, wanted)
    if not _by_uv(words, env=env, log=log):
        target.write_text("\n".join(_locked_by_pip(python, requirements, env, log)) + "\n", encoding="utf-8")


def find_uv() -> Path | None:
    """Return the uv that was installed with Diptych; None where there is none for the platform."""
    found = Path(sys.executable).parent / "uv"
    return found if os.access(found, os.X_OK) else None


def pip_install(python: Path) -> tuple[str | os.PathLike[str], ...]:
    """Return the command that installs into the environment of ``python``, to which the targets are added."""
    return (sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-compile")


def installed_versions(prefix: Path) -> dict[str, str]:
    """Return the version of each distribution in a virtual environment, by its name (Core metadata, PyPA specifications)."""
    sites = [str(path) for path in prefix.glob("lib*/python3*/site-packages")]
    found = {one.metadata["Name"]: one.version for one in importlib.metadata.distributions(path=sites)}
    return dict(sorted(found.items()))


def _by_uv(words: Sequence[str | Path], *, env: Mapping[str, str], log: Path) -> bool:
    """Run ``uv pip``; False when uv is not there or has no word for one of pip's settings: then nothing was run."""
    uv = find_uv()
    settings = _uv_settings(env, log) if uv else None
    if uv is None or settings is None:
        return False
    # From a folder outside the checkout, whose [tool.uv] is for the project's own use.
    cwd = Path(tempfile.gettempdir())
    process.run([uv, "pip", *words, "--quiet"], env={**env, **settings}, cwd=cwd, log=log)
    return True


def _uv_settings(env: Mapping[str, str], log: Path) -> dict[str, str] | None:
    """Return pip's settings in uv's words; None when it has no word for one."""
    settings = dict(_settings(_pip_config(tuple(env.items()), log.parent)))
    if set(settings) - set(_UV_WORDS) - _OF_NO_MATTER:
        return None
    words = {_UV_WORDS[name]: value for name, value in settings.items() if name in _UV_WORDS}
    if "UV_FIND_LINKS" in words:
        words["UV_FIND_LINKS"] = ",".join(words["UV_FIND_LINKS"].split())
    if "UV_INDEX" in words:
        words["UV_INDEX"] = " ".join(words["UV_INDEX"].split())
        words["UV_INDEX_STRATEGY"] = "unsafe-best-match"  # pip's way: the best of all indexes
    return {name: value for name, value in words.items() if name not in env}


@lru_cache(maxsize=16)
def _pip_config(env: tuple[tuple[str, str], ...], cwd: Path) -> str:
    """Return what pip says of its settings; asked once in a run for the same variables."""
    return process.run([sys.executable, "-m", "pip", "config", "list"], env=dict(env), cwd=cwd).output


def _settings(listing: str) -> Iterator[tuple[str, str]]:
    """Yield names and values of ``pip config list``, in the order in which later ones win."""
    for line in listing.splitlines():
        key, equals, value = line.partition("=")
        section, _, name = key.partition(".")
        if equals and (section in {"global", "install"} or key.startswith(":env:.")):
            yield name, str(ast.literal_eval(value))


def _locked_by_pip(python: Path, requirements: Sequence[str], env: Mapping[str, str], log: Path) -> list[str]:
    """Resolve with pip's installation report (pip documentation, "Installation Report")."""
    report = Path(tempfile.mkdtemp(prefix="diptych-lock-")) / "report.json"
    try:
        options: list[str | Path] = ["--dry-run", "--ignore-installed", "--report", report]
        process.run([*pip_install(python), *options, *requirements], env=env, cwd=log.parent, log=log)
        found: list[dict[str, Any]] = json.loads(report.read_text(encoding="utf-8"))["install"]
    finally:
        discard(report.parent)
    lines = [(_pinned(one), _hash(one)) for one in found]
    # One hash makes pip demand all of them; a folder or a repository has none.
    hashed = all(value for _, value in lines)
    return [f"{name} --hash=sha256:{value}" if hashed else name for name, value in lines]


def _pinned(item: Mapping[str, Any]) -> str:
    metadata = item["metadata"]
    if item.get("is_direct"):
        return f"{metadata['name']} @ {item['download_info']['url']}"
    return f"{metadata['name']}=={metadata['version']}"


def _hash(item: Mapping[str, Any]) -> str:
    return str(item["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256", ""))
