"""The family of a licence, as conda's index names it (conda-build, ``license_family.py``)."""

from __future__ import annotations

import re

_FAMILIES = (
    ("AGPL", "AGPL"),
    ("LGPL", "LGPL"),
    ("GPL-2", "GPL2"),
    ("GPL-3", "GPL3"),
    ("GPL", "GPL"),
    ("BSD", "BSD"),
    ("MIT", "MIT"),
    ("APACHE", "APACHE"),
    ("PSF", "PSF"),
    ("PYTHON-2.0", "PSF"),
    ("CC0", "PUBLIC-DOMAIN"),
    ("CC-", "CC"),
    ("MPL", "MOZILLA"),
    ("UNLICENSE", "PUBLIC-DOMAIN"),
)


def license_family(expression: str) -> str:
    """Return the family of an SPDX expression; ``OTHER`` when it has licences of several, or of none that is known.

    >>> license_family("BSD-3-Clause OR BSD-2-Clause"), license_family("MIT AND BSL-1.0")
    ('BSD', 'OTHER')
    """
    words = re.sub(r"\s+WITH\s+\S+", "", expression)
    licences = [word for word in re.findall(r"[A-Za-z0-9.+-]+", words) if word not in {"AND", "OR"}]
    found = {_one(licence.upper()) for licence in licences}
    return found.pop() if len(found) == 1 else "OTHER"


def _one(licence: str) -> str:
    return next((family for start, family in _FAMILIES if licence.startswith(start)), "OTHER")
