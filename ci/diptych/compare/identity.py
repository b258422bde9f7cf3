"""What a package says about itself, in terms that wheels and conda packages share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from diptych.archives import Package, PackageKind
from diptych.archives.entrypoints import points_in

_PYTHON_ABI = re.compile(r"^(\d+\.\d+)\b(?:\S* \S*_cp\d+(t))?")
_TAG = re.compile(r"^cp(\d)(\d+)$")
_FREE_THREADED = re.compile(r"cp\d+t")


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What a package says about itself.

    Attributes:
        name: as written.
        version: as written.
        summary: one line.
        licence: licence expression, or what stands in its place.
        urls: normalised label → URL (``homepage``, ``source``, ``documentation``, …).
        python: the Python it is made for, such as ``3.11``, or ``3.14t`` without the GIL; empty when for several.
        requires_python: the Pythons it admits, as specifiers.
        platform: wheel's platform tag, or conda's subdir.
        depends: run dependencies as the package states them, extras left out.
        constrains: conda's ``constrains``: bounds on packages that it does not need.
        extras: extra → its requirements (wheel).
        entry_points: ``group:name`` → object reference.
    """

    name: str = ""
    version: str = ""
    summary: str = ""
    licence: str = ""
    urls: Mapping[str, str] = field(default_factory=dict)
    python: str = ""
    requires_python: str = ""
    platform: str = ""
    depends: tuple[str, ...] = ()
    constrains: tuple[str, ...] = ()
    extras: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    entry_points: Mapping[str, str] = field(default_factory=dict)


def identity_of(package: Package, *, inner_points: str = "") -> Identity:
    """Return what a package says about itself.

    Args:
        package: the package.
        inner_points: ``entry_points.txt`` of a ``.dist-info`` folder inside a conda package.

    Raises:
        FormatError: METADATA or entry_points.txt is broken.
    """
    if package.kind is PackageKind.WHEEL:
        return _of_wheel(package)
    if package.kind is PackageKind.CONDA:
        return _of_conda(package, inner_points)
    return Identity(name=package.name)


def _of_wheel(package: Package) -> Identity:
    from packaging.metadata import parse_email  # noqa: PLC0415 -- only for wheels

    raw, _ = parse_email(package.metadata.metadata)
    requirements = raw.get("requires_dist", [])
    urls = {_label(name): url for name, url in raw.get("project_urls", {}).items()}
    if home := raw.get("home_page"):
        urls.setdefault("homepage", home)
    tags = sorted(package.tags, key=str)
    pythons = {
        f"{found[1]}.{found[2]}{'t' if _FREE_THREADED.fullmatch(tag.abi) else ''}"
        for tag in tags
        if (found := _TAG.match(tag.interpreter))
    }
    stable = any(tag.abi.startswith("abi3") for tag in tags)
    return Identity(
        name=raw.get("name", package.name),
        version=raw.get("version", package.version),
        summary=raw.get("summary", ""),
        licence=raw.get("license_expression") or raw.get("license", ""),
        urls=urls,
        python=pythons.pop() if len(pythons) == 1 and not stable else "",
        requires_python=raw.get("requires_python", ""),
        platform=".".join(sorted({tag.platform for tag in tags})),
        depends=tuple(text for text in requirements if "extra ==" not in text),
        extras={
            extra: tuple(
                text for text in requirements if re.search(rf"extra == ['\"]{re.escape(extra)}['\"]", text)
            )
            for extra in raw.get("provides_extra", [])
        },
        entry_points=points_in(package.metadata.entry_points, package.path),
    )


def _of_conda(package: Package, points: str) -> Identity:
    index, about = package.metadata.index, package.metadata.about
    depends = tuple(map(str, index.get("depends", ())))
    urls = {
        label: url
        for label, key in (
            ("homepage", "home"),
            ("source", "dev_url"),
            ("documentation", "doc_url"),
        )
        if (url := _first(about.get(key)))
    }
    noarch = package.metadata.link.get("noarch", {})
    listed = noarch.get("entry_points", ()) if isinstance(noarch, dict) else ()
    script_points = {
        f"console_scripts:{name.strip()}": target.strip()
        for name, _, target in (str(text).partition("=") for text in listed)
    }
    return Identity(
        name=str(index.get("name", package.name)),
        version=str(index.get("version", package.version)),
        summary=str(about.get("summary") or ""),
        licence=str(about.get("license") or index.get("license") or ""),
        urls=urls,
        python=_conda_python(depends),
        requires_python=_requires_python(depends),
        platform=str(index.get("subdir") or index.get("platform") or ""),
        depends=depends,
        constrains=tuple(map(str, index.get("constrains", ()))),
        entry_points={**points_in(points, package.path), **script_points},
    )


def _conda_python(depends: tuple[str, ...]) -> str:
    for text in depends:
        name, _, rest = text.partition(" ")
        if name == "python_abi" and (found := _PYTHON_ABI.match(rest)):
            return f"{found[1]}{found[2] or ''}"
    for text in depends:
        found = re.match(r"python >=(\d+\.\d+),<(\d+\.\d+)\.0a0$", text)
        if found:
            return found[1]
    return ""


def _requires_python(depends: tuple[str, ...]) -> str:
    return ",".join(
        rest for text in depends if (rest := text.removeprefix("python ").strip()) and text != rest
    )


def _label(name: str) -> str:
    """Normalise a URL's label (packaging.python.org, "Well-known Project URLs in Metadata")."""
    plain = re.sub(r"[\W_]+", "", name).lower()
    known = {"home": "homepage", "repository": "source", "sourcecode": "source", "github": "source"}
    return known.get(plain, {"docs": "documentation"}.get(plain, plain))


def _first(value: object) -> str:
    if isinstance(value, list):
        return str(value[0]) if value else ""
    return str(value or "")
