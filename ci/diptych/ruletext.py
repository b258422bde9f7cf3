"""The texts of a numbered rule, read from the docstring of its check."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from diptych import DOCUMENTATION

_PARTS = re.compile(r"^(Why|Mend|Not seen|Source): ", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class DocumentedRule:
    """One numbered rule. Its docstring is one line, then ``Why:``, ``Mend:``, ``Not seen:`` and ``Source:``.

    Attributes:
        code: like ``DIP101``.
        title: a few words.
        check: the function that looks.
    """

    reference: ClassVar[str]
    """The page of the documentation that has the rules of this kind, without suffix."""

    code: str
    title: str
    check: Callable[..., Any] = field(repr=False)

    @property
    def page(self) -> str:
        """The address of the rule in the documentation."""
        return f"{DOCUMENTATION}/{self.reference}.html#{self.code.lower()}"

    @property
    def what(self) -> str:
        """What the rule says."""
        return self._part("")

    @property
    def why(self) -> str:
        """Why it matters."""
        return self._part("Why")

    @property
    def mend(self) -> str:
        """What to do."""
        return self._part("Mend")

    @property
    def not_seen(self) -> str:
        """What of this kind the rule does not find; empty where it says nothing of it."""
        return self._part("Not seen")

    @property
    def source(self) -> str:
        """Where this is known from."""
        return self._part("Source")

    def _part(self, name: str) -> str:
        """Return one part of the docstring in one line, with a capital letter first; a source keeps its own: ld.so(8)."""
        parts = _PARTS.split(inspect.getdoc(self.check) or "")
        named = dict(zip(["", *parts[1::2]], parts[::2], strict=True))
        words = " ".join(named.get(name, "").split())
        return words if name == "Source" else words[:1].upper() + words[1:]
