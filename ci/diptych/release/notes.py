"""The release note: what is new, what there is to download, and how both packages of each cell compare."""

from __future__ import annotations

from collections.abc import Sequence

from diptych.output import human_size
from diptych.release.model import Item
from diptych.release.statements import Origin

_WORDS = {"WHEEL": "wheel", "SDIST": "source distribution", "CONDA": "conda package"}


def release_note(origin: Origin, news: str, items: Sequence[Item], comparison: str) -> str:
    """Return the note in Markdown.

    Args:
        origin: project, version, commit.
        news: the section of the changelog.
        items: the artefacts.
        comparison: the comparison of all cells, in Markdown.
    """
    rows = [
        f"| `{item.name}` | {_WORDS[item.kind.name]} | {human_size(item.size)} | `{item.sha256}` |"
        for item in items
    ]
    where = (
        f"[`{origin.commit[:12]}`]({origin.repository}/commit/{origin.commit})"
        if origin.repository
        else f"`{origin.commit[:12]}`"
    )
    return "\n".join(
        [
            f"# {origin.project} {origin.version}",
            "",
            *([news, ""] if news else []),
            "## Files",
            "",
            f"Made from commit {where}. Every file with its hash is in `SHA256SUMS`; where each comes from is in",
            "`provenance/`, and what each wheel brings along is in `sbom/`.",
            "",
            "| file | what | size | sha256 |",
            "| --- | --- | ---: | --- |",
            *rows,
            "",
            comparison.rstrip(),
            "",
        ]
    )
