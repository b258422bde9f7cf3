"""Write docs/reference/rules.md from the rules' docstrings: ``python -m diptych.rules.generate``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from diptych.output import Output
from diptych.rules.model import Rule
from diptych.rules.registry import all_rules

_HEAD = """\
# Rules

What `diptych doctor` looks for. Written by `python -m diptych.rules.generate` from the rules themselves; `diptych explain CODE`
prints the same.

- **error**: somebody who installs this will meet it. **drift**: it works here and now, but not by what the format or the tag
  promises. **note**: worth knowing. A finding can be milder than its rule where circumstances excuse it.
- `--select` and `--ignore` take codes or their beginnings (`DIP1`); a word that matches no code is an error.
- X1 to X6 among the sources are experiments that `tests/integration/test_rules_experiments.py` repeats.

"""


def page(rules: Sequence[Rule]) -> str:
    """Return the whole page."""
    return _HEAD + "\n".join(_lines(rules))


def _lines(rules: Sequence[Rule]) -> Iterator[str]:
    yield "| code | severity | rule |"
    yield "| --- | --- | --- |"
    yield from (
        f"| [{rule.code}](#{rule.code.lower()}) | {rule.severity.value} | {rule.title} |" for rule in rules
    )
    for family, members in groupby(rules, key=lambda rule: rule.family):
        yield ""
        yield f"## {family[:1].upper()}{family[1:]}"
        for rule in members:
            yield from _section(rule)
    yield ""


def _section(rule: Rule) -> Iterator[str]:
    yield ""
    yield f'### <a id="{rule.code.lower()}"></a>{rule.code}: {rule.title}'
    yield ""
    yield f"*{rule.severity.value}.* {rule.what}"
    parts = (
        ("Why", rule.why),
        ("How to mend", rule.mend),
        ("Not seen", rule.not_seen),
        ("Source", rule.source),
    )
    for title, text in parts:
        if not text:
            continue
        yield ""
        yield f"**{title}.** {text}"


def main(arguments: Sequence[str]) -> None:
    """Write the page to the path given, or to the repository's docs."""
    default = Path(__file__).parents[3] / "docs" / "reference" / "rules.md"
    target = Path(arguments[0]) if arguments else default
    target.write_text(page(all_rules()), encoding="utf-8")
    Output(env={}).line(f"wrote {target}")


if __name__ == "__main__":
    main(sys.argv[1:])
