"""What a channel has beside ``repodata.json``: run exports by package, and an overview of the whole channel.

``SUBDIR/run_exports.json`` is CEP 12's: a builder then need not fetch a package to learn what it exports. ``channeldata.json`` is
conda-index's: what a page about a channel shows. rattler-index writes neither.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from diptych.archives import open_package
from diptych.store import read_json, write_json, written

RUN_EXPORTS, CHANNELDATA = "run_exports.json", "channeldata.json"
_LAST_IN_SECONDS = 253_402_300_799  # the end of the year 9999
_COPIED = {  # channeldata's key -> about.json's
    "description": "description",
    "dev_url": "dev_url",
    "doc_url": "doc_url",
    "home": "home",
    "license": "license",
    "summary": "summary",
}


def write_extras(folder: Path) -> None:
    """Write both for every indexed platform of a channel; what a package lacks is left out.

    Args:
        folder: the channel, with its ``repodata.json`` files as they are now.

    Raises:
        FormatError: a package is damaged.
        StoreError: the disk is full.
    """
    packages: dict[str, Any] = {}
    subdirs = sorted(path.parent.name for path in folder.glob("*/repodata.json"))
    for subdir in subdirs:
        exports: dict[str, dict[str, Any]] = {"packages": {}, "packages.conda": {}}
        for group, filename, entry in _entries(folder / subdir):
            info = _info(folder / subdir / filename)
            exports[group][filename] = {"run_exports": info.get("run_exports", {})}
            _add(packages, subdir, filename, entry, info)
        _write(folder / subdir / RUN_EXPORTS, {"info": {"subdir": subdir, "version": 1}, **exports})
    write_json(folder / CHANNELDATA, {"channeldata_version": 1, "packages": packages, "subdirs": subdirs})


def _entries(folder: Path) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    index = read_json(folder / "repodata.json")
    for group in ("packages", "packages.conda"):
        for filename, entry in sorted(index.get(group, {}).items()):
            yield group, filename, entry


def _info(package: Path) -> dict[str, Any]:
    """Return the small files of ``info/`` that are there, by their name."""
    with open_package(package) as opened:
        texts = {
            name: opened.metadata.read(f"info/{name}.json") for name in ("about", "paths", "run_exports")
        }
    return {name: json.loads(text) for name, text in texts.items() if text}


def _add(
    packages: dict[str, Any], subdir: str, filename: str, entry: Mapping[str, Any], info: Mapping[str, Any]
) -> None:
    """Add one build to the overview: the newest version describes the package, all of them its run exports."""
    about: Mapping[str, Any] = info.get("about", {})
    paths = info.get("paths", {}).get("paths", [])
    names = [str(path.get("_path", "")) for path in paths]
    modes = {path.get("file_mode") for path in paths}
    known = packages.setdefault(entry["name"], {"run_exports": {}, "subdirs": [], "timestamp": -1})
    known["subdirs"] = sorted({*known["subdirs"], subdir})
    if exported := info.get("run_exports"):
        known["run_exports"][entry["version"]] = exported
    made = _seconds(entry.get("timestamp", 0))
    if made >= known["timestamp"]:
        known |= {key: about[source] for key, source in _COPIED.items() if about.get(source)}
        known |= {
            "activate.d": any(name.startswith("etc/conda/activate.d/") for name in names),
            "binary_prefix": "binary" in modes,
            "deactivate.d": any(name.startswith("etc/conda/deactivate.d/") for name in names),
            "post_link": any(name.endswith("-post-link.sh") for name in names),
            "pre_link": any(name.endswith("-pre-link.sh") for name in names),
            "pre_unlink": any(name.endswith("-pre-unlink.sh") for name in names),
            "reference_package": f"{subdir}/{filename}",
            "text_prefix": "text" in modes,
            "timestamp": made,
            "version": entry["version"],
        }


def _seconds(timestamp: int) -> int:
    """Return a time of ``repodata.json`` as ``channeldata.json`` has it: in seconds, where it was in milliseconds (conda-index)."""
    return timestamp // 1000 if timestamp > _LAST_IN_SECONDS else timestamp


def _write(path: Path, value: Mapping[str, Any]) -> None:
    from diptych.zstd import zstd  # noqa: PLC0415 -- only when a channel is made

    write_json(path, value)
    with written(path.with_name(f"{path.name}.zst")) as temporary:
        temporary.write_bytes(zstd.compress(path.read_bytes()))
