"""Compare wheel and conda package of cells that other machines built: the page, the JSON, the Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diptych.compare import Comparison, compare_packages
from diptych.compare.waivers import waivers_of
from diptych.fanout.collect import Placed
from diptych.fanout.piece import provenance_of
from diptych.report.document import document_of
from diptych.report.page import page_of
from diptych.store import write_json, write_text
from diptych.workspace import Workspace


def compare_collected(
    workspace: Workspace, placed: Sequence[Placed], out: Path
) -> tuple[tuple[Comparison, ...], dict[str, Any]]:
    """Compare each pair and write ``OUT/report``; the stage that both came from stayed on the other machine.

    Args:
        workspace: the checkout, for its waivers.
        placed: the packages of each cell.
        out: the folder of the packages.

    Returns:
        The comparisons, and the document of all of them.

    Raises:
        FormatError: a package is damaged.
        StoreError: the folder cannot be written.
    """
    waivers = waivers_of(workspace.config)
    found = tuple(
        compare_packages(
            one.wheel,
            one.conda.main,
            name=one.piece.name,
            beside=one.conda.library,
            one_build=True,
            provenance=provenance_of(one.wheel),
            waivers=waivers,
        )
        for one in placed
    )
    document = document_of(found, project=workspace.config.project.name)
    write_json(out / "report" / "report.json", document)
    write_text(out / "report" / "index.html", page_of(document))
    return found, document
