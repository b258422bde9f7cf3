"""Fetch published packages: the conda package of a channel, and the wheel of an index, both checked by hash."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from diptych.errors import ChannelError, ConfigError, nearest
from diptych.fetching import Hash, fetch, file_name, hash_in, is_url, read
from diptych.pythons import STABLE
from diptych.zstd import zstd

_ALIAS, _INDEX = "https://conda.anaconda.org", "https://pypi.org/simple"
_SUBDIRS = {
    "linux": {"x86_64": "linux-64", "aarch64": "linux-aarch64", "ppc64le": "linux-ppc64le"},
    "macosx": {"x86_64": "osx-64", "arm64": "osx-arm64", "universal2": "osx-arm64"},
    "win": {"amd64": "win-64", "arm64": "win-arm64"},
}
_LARGEST_ENTRY, _LARGEST_INDEX = 1 << 20, 1 << 31
_CONDA = (".conda", ".tar.bz2")
_EXACT = re.compile(r"([\w.-]+) ={0,2}([^\s*<>=!~,|]+) ([^\s*]+)")
_JSON = "application/vnd.pypi.simple.v1+json"


@dataclass(frozen=True, kw_only=True)
class Build:
    """One build in a channel's index.

    Attributes:
        url: of the package.
        sha256: of its contents, as the index says; empty where it says none.
        entry: the index's record.
    """

    url: str
    sha256: str
    entry: Mapping[str, Any]


def channel_url(channel: str, env: Mapping[str, str]) -> str:
    """Return the URL of a channel; a bare name is below conda's channel alias."""
    return (
        channel.rstrip("/")
        if is_url(channel)
        else f"{env.get('CONDA_CHANNEL_ALIAS', _ALIAS).rstrip('/')}/{channel}"
    )


def conda_for_wheel(channel: str, name: str, version: str, wheel: str, *, env: Mapping[str, str]) -> Build:
    """Find the build of a version that is for the Python and the platform of a wheel.

    Args:
        channel: a URL, or a name such as ``conda-forge``.
        name: of the conda package.
        version: as the channel spells it.
        wheel: the file name of the wheel.
        env: for CONDA_CHANNEL_ALIAS and proxies.

    Raises:
        ConfigError: the wheel's name is none.
        ChannelError: there is no such build; those that are there are named.
    """
    python, subdirs = _wanted(wheel)
    url = channel_url(channel, env)
    seen: list[Build] = []
    for subdir in subdirs:
        found = list(builds(url, subdir, name, version, env=env))
        seen += found
        fitting = [one for one in found if _fits(one.entry, python)]
        if fitting:
            return max(
                fitting, key=lambda one: (one.entry.get("build_number", 0), one.entry.get("timestamp", 0))
            )
    what = f'"{name}" {version} for {wheel}'
    there = [f"{file_name(one.url)} in {one.url.split('/')[-2]}" for one in seen]
    raise ChannelError(
        f"{url} has no package {what}", details=there[:20], hint="check name, version and the channel"
    )


def builds(url: str, subdir: str, name: str, version: str, *, env: Mapping[str, str]) -> Iterator[Build]:
    """Yield the builds of one version in one platform's index.

    The index is searched as text: that of conda-forge is 300 MB, of which a few entries are wanted.

    Raises:
        ChannelError: the index cannot be had or read.
    """
    text = _index(f"{url}/{subdir}", env)
    key = re.compile(
        rb'"(' + re.escape(f"{name}-{version}-".encode()) + rb'[^"/-]+(?:\.conda|\.tar\.bz2))"\s*:\s*'
    )
    decoder = json.JSONDecoder()
    found: dict[str, Build] = {}
    for match in key.finditer(text):
        filename = match[1].decode()
        try:
            piece = text[match.end() : match.end() + _LARGEST_ENTRY].decode("utf-8", "ignore")
            entry, _ = decoder.raw_decode(piece)
        except ValueError as error:
            raise ChannelError(f'the index of "{url}/{subdir}" is damaged at {filename}: {error}') from error
        if isinstance(entry, dict):
            found[filename] = Build(
                url=f"{url}/{subdir}/{filename}", sha256=str(entry.get("sha256", "")), entry=entry
            )
    # Of one build in both formats the newer format is the one that clients take.
    yield from (
        one
        for filename, one in sorted(found.items())
        if f"{filename.removesuffix('.tar.bz2')}.conda" not in found
    )


def packed_together(depends: object) -> tuple[str, ...]:
    """Return the file names, without what tells the format, of the packages that are meant by version and build.

    Outputs of one recipe state each other so (``pin_subpackage(exact=True)``): a C++ library and its bindings.

    Args:
        depends: a package's run dependencies; what is no list has none.
    """
    found = (_EXACT.fullmatch(str(spec)) for spec in (depends if isinstance(depends, list) else ()))
    return tuple("-".join(match.groups()) for match in found if match)


def fetch_beside(build: Build, folder: Path, *, env: Mapping[str, str]) -> None:
    """Fetch what was packed together with a package, as far as its channel has it.

    Raises:
        ChannelError: what the index lists cannot be had, or has another hash.
    """
    base, subdir, _ = build.url.rsplit("/", 2)
    for stem in packed_together(build.entry.get("depends", ())):
        name, version, _ = stem.rsplit("-", 2)
        for one in builds(base, subdir, name, version, env=env):
            if file_name(one.url).removesuffix(".conda").removesuffix(".tar.bz2") == stem:
                fetch_build(one, folder, env=env)


def fetch_build(build: Build, folder: Path, *, env: Mapping[str, str]) -> Path:
    """Fetch a conda package, checked by the index's hash."""
    return fetch(build.url, folder, env=env, wanted=Hash(algorithm="sha256", value=build.sha256))


def fetch_package(url: str, folder: Path, *, env: Mapping[str, str]) -> Path:
    """Fetch a file by the hash that its URL states, or that the index of the channel around it has.

    Raises:
        ChannelError: it cannot be had, or has another hash.
    """
    wanted = hash_in(url)
    name = file_name(url)
    if not wanted.value and name.endswith(_CONDA):
        wanted = Hash(algorithm="sha256", value=_hash_in_channel(url, name, env))
    return fetch(url, folder, env=env, wanted=wanted)


def fetch_wheel(word: str, folder: Path, *, env: Mapping[str, str]) -> Path:
    """Return a wheel: a path, a URL, or a file name that the package index has (PEP 691; PIP_INDEX_URL names another one).

    Raises:
        ChannelError: it cannot be had, or has another hash.
        ConfigError: there is no such file here, and the index has none.
    """
    if is_url(word):
        return fetch_package(word, folder, env=env)
    if Path(word).exists() or "/" in word:
        return Path(word)
    index = env.get("PIP_INDEX_URL", _INDEX).rstrip("/")
    project = re.sub(r"[-_.]+", "-", word.partition("-")[0]).lower()
    page = f"{index}/{project}/"
    try:
        files = json.loads(read(page, env=env, accept=_JSON))["files"]
        listed = {one["filename"]: (one["url"], one.get("hashes", {}).get("sha256", "")) for one in files}
    except (ValueError, KeyError, TypeError) as error:
        raise ChannelError(
            f'"{page}" is no index in JSON (PEP 691)', hint="give the URL of the wheel"
        ) from error
    if word not in listed:
        raise ConfigError(f'"{word}" is neither a file here nor in {page}{nearest(word, listed)}')
    url, sha256 = listed[word]
    return fetch(urljoin(page, url), folder, env=env, wanted=Hash(algorithm="sha256", value=sha256))


def _index(url: str, env: Mapping[str, str]) -> bytes:
    try:
        return inflated(read(f"{url}/repodata.json.zst", env=env))
    except (ChannelError, EOFError, zstd.ZstdError):
        return read(f"{url}/repodata.json", env=env)


def inflated(packed: bytes) -> bytes:
    """Return what all frames hold, up to the largest index that is read.

    Raises:
        EOFError: it is cut off.
        ZstdError: it is damaged.
    """
    with zstd.ZstdFile(io.BytesIO(packed)) as stream:
        text: bytes = stream.read(_LARGEST_INDEX)
        if not stream.read(1):
            return text
    raise EOFError("larger than any index")


def _hash_in_channel(url: str, filename: str, env: Mapping[str, str]) -> str:
    """Return what the index beside a package says of it; empty where there is no index, or it has no such file."""
    folder, _, _ = url.partition("#")[0].rpartition("/")
    base, _, subdir = folder.rpartition("/")
    name, version, _ = filename.removesuffix(".conda").removesuffix(".tar.bz2").rsplit("-", 2)
    try:
        known = {file_name(one.url): one.sha256 for one in builds(base, subdir, name, version, env=env)}
    except ChannelError:
        return ""
    return known.get(filename, "")


def _wanted(wheel: str) -> tuple[str, tuple[str, ...]]:
    """Return the Python of a wheel (empty for any) and the platforms whose packages may be its like."""
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename  # noqa: PLC0415 -- not for listings

    try:
        *_, tags = parse_wheel_filename(file_name(wheel) if is_url(wheel) else Path(wheel).name)
    except InvalidWheelFilename as error:
        raise ConfigError(f"{error}", hint="give the name, the path or the URL of a wheel") from error
    tag = min(tags, key=str)
    found = re.fullmatch(r"cp(\d)(\d+)", tag.interpreter)
    python = f"{found[1]}.{found[2]}" if found and tag.abi not in STABLE else ""
    system = next(
        (name for name in _SUBDIRS if any(word in tag.platform for word in (name, f"many{name}"))), ""
    )
    machines = _SUBDIRS.get(system, {})
    own = [subdir for machine, subdir in machines.items() if tag.platform.endswith(machine)]
    return python, (*own, "noarch")


def _fits(entry: Mapping[str, Any], python: str) -> bool:
    """Tell whether a build is for that Python, by what it depends on."""
    stated = [dep.split() for dep in entry.get("depends", ()) if dep.split()[0] in {"python", "python_abi"}]
    minors = {
        found[1]
        for spec in stated
        for word in spec[1:2]
        if (found := re.match(r"(?:>=|==?)?(\d+\.\d+)", word))
    }
    exact = {spec[1].split(".*")[0] for spec in stated if spec[0] == "python_abi" and len(spec) > 1}
    if not python or entry.get("noarch"):
        return True
    return python in (exact or minors) or (not stated)
