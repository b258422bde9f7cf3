"""What a packer notes of the machine it ran on, put into words that hold on every machine.

The rendered recipe of rattler-build names folders, channel URLs, the kernel and the time; about.json names channels.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from diptych.packages.grafted import public_url

if TYPE_CHECKING:
    import yaml

_MACHINE_LISTS = ("virtual_packages",)
_RENDERED = "recipe/rendered_recipe.yaml"
# YAML 1.2, "core schema": what rattler-build writes. PyYAML's own rules (1.1) would read `no` as false.
_CORE = (
    ("tag:yaml.org,2002:bool", re.compile(r"true|True|TRUE|false|False|FALSE"), "tTfF"),
    ("tag:yaml.org,2002:null", re.compile(r"null|Null|NULL|~|"), "nN~\0"),
    ("tag:yaml.org,2002:int", re.compile(r"[-+]?[0-9]+"), "-+0123456789"),
    (
        "tag:yaml.org,2002:float",
        re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?"),
        "-+.0123456789",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Neutral:
    """How to word what depends on the machine.

    Attributes:
        names: text of this machine (a folder, a URL) → what stands for it.
        epoch: SOURCE_DATE_EPOCH, seconds.
    """

    names: Mapping[str, str]
    epoch: int

    def text(self, text: str) -> str:
        """Replace every text of this machine, the longest first."""
        for mine in sorted(self.names, key=len, reverse=True):
            text = text.replace(mine, self.names[mine])
        return text

    def value(self, value: Any) -> Any:  # noqa: ANN401 -- any JSON value
        """Replace in every text of a JSON value."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(one) for one in value]
        if isinstance(value, dict):
            return {self.text(key): self.value(one) for key, one in value.items()}
        return value

    def index(self, content: bytes) -> bytes:
        """Return index.json with the epoch for its time (milliseconds), and its requirements sorted.

        rattler-build (0.73) puts the requirements that come from run exports in an order of their own each time.
        """
        value = json.loads(content)
        value |= {key: sorted(value[key]) for key in ("constrains", "depends") if key in value}
        return _json({**value, "timestamp": self.epoch * 1000})

    def json(self, content: bytes) -> bytes:
        """Return a JSON file, its texts replaced and its keys sorted."""
        return _json(self.value(json.loads(content)))

    def rendered_recipe(self, content: bytes) -> bytes:
        """Return rendered_recipe.yaml without folders, URLs, kernel and time of this machine."""
        import yaml  # noqa: PLC0415 -- only when a package is made

        value = yaml.load(content, Loader=_core_loader())  # noqa: S506 -- a SafeLoader
        value = _without_machine(self.value(value))
        configuration = value.get("build_configuration", {})
        if "timestamp" in configuration:
            configuration["timestamp"] = datetime.fromtimestamp(self.epoch, timezone.utc).strftime(
                "%Y-%m-%dT%H:%M:%SZ"
            )
        configuration.get("directories", {}).update(
            {name: f"${name.upper()}" for name in configuration.get("directories", {})}
        )
        # Of its siblings from the same recipe a package says nothing: a library's bytes are the same beside every Python.
        own = (value.get("recipe", {}).get("package") or {}).get("name")
        if "subpackages" in configuration:
            siblings = configuration["subpackages"]
            configuration["subpackages"] = {name: siblings[name] for name in siblings if name == own}
        _sort_dependencies(value.get("finalized_dependencies") or {})
        text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=1000)
        return text.encode()

    def file(self, name: str, content: bytes) -> bytes:
        """Return a file of ``info/`` in neutral words; ``name`` is relative to that folder.

        Licence texts and whatever is not text are returned as they are; so is paths.json, whose placeholders have to
        agree with the files.
        """
        makers: dict[str, Callable[[bytes], bytes]] = {
            "index.json": self.index,
            "about.json": self.json,
            _RENDERED: self.rendered_recipe,
        }
        if name in makers:
            return makers[name](content)
        if name == "paths.json" or PurePosixPath(name).parts[0] == "licenses":
            return content
        try:
            return self.text(content.decode()).encode()
        except UnicodeDecodeError:
            return content


def local_names(folders: Mapping[Path, str], channels: tuple[str, ...]) -> dict[str, str]:
    """Return the texts that name folders, and channels that are folders, of this machine.

    Args:
        folders: a folder → the word for it.
        channels: names or URLs; those of ``file:`` become "local", others lose their token.
    """
    urls = [url.rstrip("/") for url in channels if "://" in url]
    return {str(folder): word for folder, word in folders.items()} | {
        url: "local" if url.startswith("file:") else public_url(url) for url in urls
    }


def _without_machine(value: Any) -> Any:  # noqa: ANN401 -- any YAML value
    """Empty the lists that tell the machine: they hold kernel, C library and processor."""
    if isinstance(value, list):
        return [_without_machine(one) for one in value]
    if isinstance(value, dict):
        return {
            key: [] if key in _MACHINE_LISTS else _without_machine(one)
            for key, one in value.items()
            if key != "indexed_timestamp"
        }
    return value


def _sort_dependencies(finalized: dict[str, Any]) -> None:
    """Sort the packages of each environment, and the requirements that run exports added: both have no order."""
    for part in finalized.values():
        for key in ("constraints", "depends", "resolved") if isinstance(part, dict) else ():
            if isinstance(part.get(key), list):
                part[key].sort(key=lambda one: json.dumps(one, sort_keys=True, default=str))


def _core_loader() -> type[yaml.SafeLoader]:
    import yaml  # noqa: PLC0415 -- as above

    class CoreLoader(yaml.SafeLoader):
        """A safe loader with the scalars of YAML 1.2."""

        yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 -- PyYAML's own form

    for tag, pattern, first in _CORE:
        CoreLoader.add_implicit_resolver(
            tag, re.compile(rf"(?:{pattern.pattern})\Z"), ["" if one == "\0" else one for one in first]
        )
    return CoreLoader


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"
