"""The licence texts of the libraries that a wheel brings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path

from diptych.packages.grafted import Grafted, Origin

FOLDER = "grafted"
_TEXT = re.compile(
    r"(?:share/licenses/.*|share/(?:doc/)?[^/]+/(?:LICEN[CS]E|COPYING|NOTICE|copyright)[^/]*)", re.IGNORECASE
)


def licence_texts(grafted: Iterable[Grafted], prefix: Path) -> dict[str, bytes]:
    """Collect the texts of every package that a library came from.

    They are looked for in the package's own ``info/licenses``, then among its files in the environment, then among the
    texts of well-known licences that Diptych carries.

    Args:
        grafted: the libraries.
        prefix: the environment.

    Returns:
        ``grafted/PACKAGE/FILE`` → text, sorted by name, to be put below ``.dist-info/licenses``. A package without any
        text is not in it.
    """
    origins = {one.origin.package.name: one.origin for one in grafted if one.origin}
    return {
        f"{FOLDER}/{name}/{file}": text
        for name, origin in sorted(origins.items())
        for file, text in sorted(_texts(origin, prefix).items())
    }


def _texts(origin: Origin, prefix: Path) -> dict[str, bytes]:
    return dict(_packaged(origin)) or dict(_installed(origin, prefix)) or dict(_carried(origin.licence))


def _packaged(origin: Origin) -> Iterator[tuple[str, bytes]]:
    """Yield what lies in ``info/licenses`` (CEP 34)."""
    folder = origin.folder / "info" / "licenses" if origin.folder else None
    for path in sorted(folder.rglob("*")) if folder else ():
        if folder and path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def _installed(origin: Origin, prefix: Path) -> Iterator[tuple[str, bytes]]:
    for name in origin.files:
        if _TEXT.fullmatch(name) and (prefix / name).is_file():
            yield name.removeprefix("share/"), (prefix / name).read_bytes()


def _carried(licence: str) -> Iterator[tuple[str, bytes]]:
    for word in dict.fromkeys(re.findall(r"[A-Za-z0-9.+-]+", licence)):
        text = files("diptych.packages") / "texts" / f"{word}.txt"
        if text.is_file():
            yield f"{word}.txt", text.read_bytes()
