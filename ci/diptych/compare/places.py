"""Where a file of either package lands when it is installed, in one language for both.

Below site-packages a place is the bare path (``pkg/__init__.py``); everything else begins with ``$PREFIX/``. Libraries
that a repair tool grafted are at ``$PREFIX/lib/NAME`` with the hash undone, because that is where the conda side has
them. Licence texts are at ``licenses/``. Sources: PEP 427 (``.data``), CEP 34 and conda's noarch layout.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from diptych.archives import PackageKind
from diptych.compare.binary import plain_name

_SITE = re.compile(r"^(?:lib/python\d+\.\d+t?/|Lib/)?site-packages/")
_GRAFTED = re.compile(r"(?:^|/)(?:[^/]+\.libs|[^/]*\.dylibs)/([^/]+)$")
# Where auditwheel moves a program that needs grafted libraries; the script in .data/scripts then only starts it.
_MOVED = re.compile(r"^[^/]+\.scripts/([^/]+)$")
_DATA = re.compile(r"^[^/]+\.data/(purelib|platlib|scripts|headers|data)/(.+)$")
_LICENCE = re.compile(
    r"^[^/]+\.dist-info/(?:licenses/)?((?:.*/)?(?:LICEN[CS]E|COPYING|NOTICE|AUTHORS)[^/]*)$", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where one member belongs.

    Attributes:
        name: its place.
        role: ``python``, ``binary`` (refined when read), ``grafted``, ``bytecode``, ``metadata``, ``licence``,
            ``script``, ``header`` or ``data``.
    """

    name: str
    role: str


def is_prefix(members: Iterable[str]) -> bool:
    """Tell whether a folder is laid out as a prefix that has site-packages in it."""
    return any(name.startswith("lib/python") and _SITE.match(name) for name in members)


def moved_programs(members: Iterable[str]) -> frozenset[str]:
    """Return the names of the programs that auditwheel has moved into the package."""
    return frozenset(found[1] for name in members if (found := _MOVED.match(name)))


def place_of(member: str, kind: PackageKind, *, prefix: bool = False) -> Place | None:
    """Return the place of a package's member, or None for what only describes the package format.

    Args:
        member: its name.
        kind: of the package.
        prefix: a folder is laid out as a prefix, not as site-packages.
    """
    if kind is PackageKind.CONDA:
        return _conda_place(member)
    if prefix:
        return _site_place(_SITE.sub("", member)) if _SITE.match(member) else _prefix_place(member)
    if found := _MOVED.match(member):
        return Place(name=f"$PREFIX/bin/{found[1]}", role="script")
    if found := _GRAFTED.search(member):
        return Place(name=f"$PREFIX/lib/{plain_name(found[1])}", role="grafted")
    if found := _DATA.match(member):
        return _data_place(found[1], found[2])
    return _site_place(member)


def _conda_place(member: str) -> Place | None:
    if member.startswith("info/"):
        return (
            Place(name=member.removeprefix("info/"), role="licence")
            if member.startswith("info/licenses/")
            else None
        )
    if member.startswith(
        "etc/conda/test-files/"
    ):  # what the recipe's own tests need: rattler-build puts it there
        return None
    if found := _GRAFTED.search(member):
        return Place(name=f"$PREFIX/lib/{plain_name(found[1])}", role="grafted")
    if _SITE.match(member):
        return _site_place(_SITE.sub("", member))
    if member.startswith("python-scripts/"):  # noarch: python
        return Place(name=f"$PREFIX/bin/{member.removeprefix('python-scripts/')}", role="script")
    return _prefix_place(member)


def _data_place(scheme: str, rest: str) -> Place:
    if scheme in {"purelib", "platlib"}:
        return _site_place(rest)
    if scheme == "scripts":
        return Place(name=f"$PREFIX/bin/{rest}", role="script")
    if scheme == "headers":
        return Place(name=f"$PREFIX/include/{rest}", role="header")
    return _prefix_place(rest)


def _prefix_place(member: str) -> Place:
    role = "data"
    if member.startswith(("bin/", "Scripts/")):
        role = "script"
    elif member.startswith("include/"):
        role = "header"
        member = re.sub(r"^include/python\d+\.\d+t?/[^/]+/", "include/", member)
    elif member.startswith("lib/") and re.search(r"\.(so(\.[\d.]+)?|dylib)$", member):
        role = "binary"
    return Place(name=f"$PREFIX/{member}", role=role)


def _site_place(name: str) -> Place:
    if found := _LICENCE.match(name):
        return Place(name=f"licenses/{found[1]}", role="licence")
    top = name.split("/", 1)[0]
    if top.endswith((".dist-info", ".egg-info")):
        return Place(name=re.sub(r"^([^/]+?)-[^/]*\.(dist|egg)-info", r"\1.\2-info", name), role="metadata")
    if name.endswith(".pyc"):
        return Place(name=name, role="bytecode")
    if name.endswith((".py", ".pyi", "/py.typed")):
        return Place(name=name, role="python")
    return Place(name=name, role="data")
