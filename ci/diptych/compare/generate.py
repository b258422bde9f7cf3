"""``python -m diptych.compare.generate``: write the reference page of the comparison rules again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from diptych.compare.model import Rule
from diptych.compare.rulebook import all_rules
from diptych.store import write_text

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "compare-rules.md"

_HEAD = """\
# The rules of `diptych compare`

<!-- Written by `python -m diptych.compare.generate` from the docstrings in ci/diptych/compare/rules_*.py; edit those. -->

Every difference between two packages is the result of one of these rules. *Expected*: the two formats are made that
way. *Drift*: the packages say or promise different things, but work here and now. *Error*: users of the two packages get
different things; `diptych compare` ends with exit code 12. Where the packages are not known to come from one compile,
differences in code are drift.

| code | rule | severity |
| --- | --- | --- |
"""


def page() -> str:
    """Return the page in Markdown."""
    rules = all_rules()
    rows = "".join(
        f"| [{rule.code}](#{rule.code.lower()}) | {rule.title} | {rule.severity.value} |\n" for rule in rules
    )
    return _HEAD + rows + "".join(part for rule in rules for part in _entry(rule))


def _entry(rule: Rule) -> Iterator[str]:
    yield f"\n## {rule.code}\n\n**{rule.title}** ({rule.severity.value}). {rule.what}\n\n"
    yield f"- Why: {rule.why}\n- To mend: {rule.mend}\n- Source: {rule.source}\n"


if __name__ == "__main__":
    write_text(PAGE, page())
