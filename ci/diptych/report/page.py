"""The one self-contained page: a template with all of its script and style, and the document put in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

_SLOT = "/*diptych:document*/null"


def page_of(document: Mapping[str, Any]) -> str:
    """Return the page: HTML that needs no network and no other file.

    The document stands in a script element of type ``application/json``; ``<`` is escaped, so that no text of a
    package can end the element (HTML standard, "Restrictions for contents of script elements").
    """
    template = resources.files("diptych.report").joinpath("page.html").read_text(encoding="utf-8")
    before, slot, after = template.partition(_SLOT)
    if not slot:
        raise ValueError("page.html has no place for the document")
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    escaped = text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return f"{before}{escaped}{after}"
