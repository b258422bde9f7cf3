"""A wheel's bill of materials: which library in it came from which conda package.

Form: CycloneDX 1.6, JSON (ECMA-424), at the place that PEP 770 names. Nothing in it depends on machine or time: the serial
number is made of the contents.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from diptych import __version__
from diptych.environments import LockedPackage
from diptych.packages.grafted import Grafted, Origin, public_url

FILE = "sboms/diptych.cdx.json"


def bill(name: str, version: str, grafted: Sequence[Grafted], texts: Mapping[str, bytes]) -> bytes:
    """Return the bill of materials of a wheel.

    Args:
        name: the distribution.
        version: its version.
        grafted: the libraries that it brings.
        texts: the licence texts that lie below ``.dist-info/licenses``, see :mod:`diptych.packages.licences`.

    Returns:
        JSON in UTF-8.
    """
    project = f"pkg:pypi/{re.sub(r'[-_.]+', '-', name).lower()}@{quote(version, safe='')}"
    parts = [*_packages(grafted, texts), *_strangers(grafted)]
    content: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "diptych", "version": __version__}]},
            "component": {
                "type": "library",
                "bom-ref": project,
                "name": name,
                "version": version,
                "purl": project,
            },
        },
        "components": parts,
        "dependencies": [
            {"ref": project, "dependsOn": [part["bom-ref"] for part in parts]},
            *({"ref": part["bom-ref"]} for part in parts),
        ],
    }
    content["serialNumber"] = (
        f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(content, sort_keys=True))}"
    )
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def package_url(package: LockedPackage) -> str:
    """Return the purl of a conda package (package-url, type "conda")."""
    url = public_url(package.url)
    channel = PurePosixPath(url).parts[-3] if url.count("/") > 1 else ""
    qualifiers = {
        "build": package.build,
        "channel": channel,
        "subdir": package.subdir,
        "type": "tar.bz2" if url.endswith(".tar.bz2") else "conda",
    }
    words = "&".join(f"{key}={quote(value, safe='')}" for key, value in qualifiers.items() if value)
    return f"pkg:conda/{quote(package.name, safe='')}@{quote(package.version, safe='')}?{words}"


def _packages(grafted: Sequence[Grafted], texts: Mapping[str, bytes]) -> list[dict[str, Any]]:
    origins = {one.origin.package.name: one.origin for one in grafted if one.origin}
    return [
        _package(origin, [one for one in grafted if one.origin and one.origin.package.name == name], texts)
        for name, origin in sorted(origins.items())
    ]


def _package(origin: Origin, brought: Iterable[Grafted], texts: Mapping[str, bytes]) -> dict[str, Any]:
    package = origin.package
    purl = package_url(package)
    own = sorted(name for name in texts if name.split("/")[1] == package.name)
    part: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": package.name,
        "version": package.version,
        "purl": purl,
        "components": [_file(one) for one in brought],
        "properties": _properties(
            ("diptych:conda:build", package.build),
            ("diptych:conda:subdir", package.subdir),
            *(("diptych:licence-text", f"licenses/{name}") for name in own or ()),
            *([] if own else [("diptych:licence-text", "none found")]),
        ),
    }
    if package.sha256:
        part["hashes"] = [_sha256(package.sha256)]
    if url := public_url(package.url):
        part["externalReferences"] = [{"type": "distribution", "url": quote(url, safe=":/%?=&+!~")}]
    if origin.licence:
        part["licenses"] = [_licence(origin.licence)]
    return part


def _file(one: Grafted) -> dict[str, Any]:
    return {
        "type": "file",
        "bom-ref": one.member,
        "name": one.member,
        "hashes": [_sha256(one.sha256)],
        "properties": _properties(
            ("diptych:library", one.library), ("diptych:library:sha256", one.source_sha256)
        ),
    }


def _strangers(grafted: Sequence[Grafted]) -> list[dict[str, Any]]:
    """Name the libraries that no conda package brought: auditwheel took them from the system."""
    return [
        {
            **_file(one),
            "properties": _properties(("diptych:library", one.library), ("diptych:origin", "system")),
        }
        for one in grafted
        if one.origin is None
    ]


def _licence(text: str) -> dict[str, Any]:
    """Return an SPDX expression as such, and any other words as a name."""
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression  # noqa: PLC0415 -- as needed

    try:
        return {"expression": str(canonicalize_license_expression(text))}
    except InvalidLicenseExpression:
        return {"license": {"name": text}}


def _properties(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs if value]


def _sha256(value: str) -> dict[str, str]:
    return {"alg": "SHA-256", "content": value}
