"""Dynamic string tokens: ``$ORIGIN``, ``${LIB}``, ``$PLATFORM`` (ld.so(8), "Dynamic string tokens")."""

from __future__ import annotations

import re
from collections.abc import Mapping

# An unbraced token ends where an identifier ends: $ORIGINAL is none. glibc asks this of ${ORIGIN}, too: the
# character after the name is then the brace.
_TOKEN = re.compile(r"\$(?:(ORIGIN|LIB|PLATFORM)(?![A-Za-z0-9_])|\{(ORIGIN|LIB|PLATFORM)\})")


def expanded(text: str, values: Mapping[str, str]) -> str:
    """Return ``text`` with all tokens replaced; anything else with a dollar sign stays as it is.

    Args:
        text: a search path entry, or a needed name.
        values: what ORIGIN, LIB and PLATFORM stand for.
    """
    return _TOKEN.sub(lambda match: values[match[1] or match[2]], text)
