"""``--with``: other packages or an environment, laid beside the one that is looked at, as an installation would lay them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from diptych.archives import PackageKind, open_package
from diptych.binaries import Binary, dynamic_symbols, read
from diptych.doctor.contents import binaries_of
from diptych.doctor.tables import Outside, Outsider, names_of
from diptych.errors import FormatError
from diptych.rules import Damage
from diptych.rules.places import PREFIX, SITE, final_place

_SITE = re.compile(r"lib/python3\.\d+t?/site-packages(?=/)")


@dataclass(kw_only=True)
class Beside:
    """What lies beside a package, at its final places.

    Attributes:
        names: the packages, as they are called.
        binaries: path → what was read there.
        links: path → where it leads.
        others: further files.
        libraries: path → headers and names.
    """

    names: list[str] = field(default_factory=list)
    binaries: dict[str, tuple[Binary, ...]] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    libraries: dict[str, Outsider] = field(default_factory=dict)

    @property
    def outside(self) -> Outside | None:
        """Reads a library that lies beside, by its path; None where nothing does."""
        return self.libraries.get if self.names else None


def lay_beside(paths: Sequence[tuple[str, Path]]) -> Beside:
    """Read packages that are installed together with the one that is looked at.

    Args:
        paths: each as the person called it, and where it is: wheels, conda packages, environments.

    Raises:
        FormatError: one of them is damaged, or is no package.
    """
    laid = Beside()
    for shown, path in paths:
        with open_package(path) as package:
            if package.kind not in {PackageKind.WHEEL, PackageKind.CONDA, PackageKind.ENVIRONMENT}:
                raise FormatError(f'"{shown}" is no wheel, conda package or environment to lay beside')
            kind = package.kind.value
            for member in package.members:
                place = _placed(kind, member.name)
                if member.link is None:
                    laid.others.append(place)
                else:
                    laid.links[place] = member.link
            for member, data in binaries_of(package):
                if not isinstance(data, Damage):
                    _add(laid, _placed(kind, member.name), bytes(data))
        laid.names.append(shown)
    return laid


def _add(laid: Beside, place: str, data: bytes) -> None:
    """Add one binary; one that cannot be read is as good as absent, and its own package's finding."""
    try:
        binaries = read(data, place)
        tables = [names_of(binary, dynamic_symbols(binary, data)) for binary in binaries]
    except FormatError:
        return
    laid.binaries[place] = tuple(replace(binary, symbols=None) for binary in binaries)
    laid.libraries[place] = Outsider(binary=binaries[0], names=tables[0])


def _placed(kind: str, name: str) -> str:
    if kind != "environment":
        return final_place(kind, name)
    return _SITE.sub(lambda _: SITE, name, count=1) if _SITE.match(name) else f"{PREFIX}/{name}"
