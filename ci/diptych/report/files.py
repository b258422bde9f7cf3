"""Where the report goes: ``dist/report``, and the summary of a CI job."""

from __future__ import annotations

from pathlib import Path

from diptych.report.document import document_of
from diptych.report.gather import Gathered
from diptych.report.markdown import markdown_of
from diptych.report.page import page_of
from diptych.store import write_json, write_text
from diptych.workspace import Workspace


def write_report(workspace: Workspace, found: Gathered) -> Path:
    """Write the page and the JSON; on GitHub Actions add the Markdown to the job's summary.

    Returns:
        The page, relative to the checkout.

    Raises:
        StoreError: the folder cannot be written.
    """
    document = document_of(found.comparisons, project=workspace.config.project.name, missing=found.missing)
    folder = workspace.dist / "report"
    write_json(folder / "report.json", document)
    write_text(folder / "index.html", page_of(document))
    workspace.output.summary(markdown_of(document))
    return (folder / "index.html").relative_to(workspace.root)
