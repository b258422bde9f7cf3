"""``diptych compare``: two packages side by side, all built cells, or a package against an environment."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diptych.errors import ConfigError
from diptych.output import Output
from diptych.tasks.surface import process_env, process_output, process_workspace, surface

if TYPE_CHECKING:
    from invoke.context import Context

    from diptych.compare import Comparison

_PUBLISHED_WORDS = 3
_HINT = "diptych compare A B for two packages, without words for all built cells, --into ENV PACKAGE for a preview"


@surface(
    help={
        "words": "two packages (wheel, conda, folder); none: all built cells",
        "cell": "one built cell, on one screen",
        "from-channel": "a channel: compare its package with a published wheel; the words are NAME VERSION WHEEL",
        "into": "an environment: show what installing one package there would duplicate or shadow",
        "measure": "all built cells: also measure both packages in clean environments: sizes, times, your benchmark",
        "one-build": "insist that both come from one compile, so that unlike code is an error",
        "json": "print JSON; its schema is in the package, report/schema.json",
        "markdown": "print Markdown, for the summary of a CI job",
        "html": "write the self-contained page to this file",
    },
)
def compare(  # noqa: PLR0913, PLR0917 -- each is a flag
    _context: Context,
    words: list[str],
    cell: str = "",
    from_channel: str = "",
    into: str = "",
    html: str = "",
    measure: bool = False,  # noqa: FBT001, FBT002 -- an invoke flag
    one_build: bool = False,  # noqa: FBT001, FBT002 -- as above
    json: bool = False,  # noqa: FBT001, FBT002 -- as above
    markdown: bool = False,  # noqa: FBT001, FBT002 -- as above
) -> None:
    """Lay two packages side by side, or the two of every built cell; ends with 12 when they differ."""
    output = process_output(aside=json or markdown)
    if into:
        _preview(words, into, output, as_json=json)
        return
    if from_channel:
        _published(
            from_channel, words, output, html=html, form="json" if json else "markdown" if markdown else ""
        )
        return
    if len(words) not in {0, 2}:
        raise ConfigError(f"two packages or none, not {len(words)}", hint=_HINT)
    if words and (measure or cell):
        raise ConfigError(
            "--measure and --cell are for built cells, whose table and channels are known", hint=_HINT
        )
    comparisons, document = (
        _two(words, one_build=one_build) if words else _built(output, cell=cell, measure=measure)
    )
    form = "json" if json else "markdown" if markdown else ""
    _told(comparisons, document, output, html=html, form=form, matrix=not (words or cell))


def _told(
    comparisons: Sequence[Comparison],
    document: dict[str, Any],
    output: Output,
    *,
    html: str,
    form: str,
    matrix: bool,
) -> None:
    from diptych.report.gather import require_all_equal  # noqa: PLC0415 -- a listing needs no comparison

    if html:
        _write_page(Path(html), document, output, quiet=bool(form))
    if form == "json":
        output.json(document)
    elif form == "markdown":
        from diptych.report import markdown_of  # noqa: PLC0415 -- as above

        output.raw(markdown_of(document))
    else:
        _show(comparisons, output, matrix=matrix)
        if document["missing"]:
            output.note(f"not built: {', '.join(document['missing'])}")
    require_all_equal(comparisons)


def _published(channel: str, words: Sequence[str], output: Output, *, html: str, form: str) -> None:
    """Fetch a conda package and a wheel by hash, and lay them side by side."""
    from diptych.published import conda_for_wheel, fetch_beside, fetch_build, fetch_wheel  # noqa: PLC0415 -- as above

    if len(words) != _PUBLISHED_WORDS:
        raise ConfigError(
            f"--from-channel takes a name, a version and a wheel, not {len(words)} words",
            hint="diptych compare --from-channel conda-forge NAME VERSION WHEEL; the wheel is a file, a URL, or a name on PyPI",
        )
    name, version, wheel = words
    env = process_env()
    with tempfile.TemporaryDirectory(prefix="diptych-") as folder:
        build = conda_for_wheel(channel, name, version, wheel, env=env)
        places = [Path(tempfile.mkdtemp(dir=folder)) for _ in range(2)]
        right = fetch_build(build, places[0], env=env)
        fetch_beside(build, places[0], env=env)
        left = fetch_wheel(wheel, places[1], env=env)
        comparisons, document = _two([str(left), str(right)], one_build=False)
        _told(comparisons, document, output, html=html, form=form, matrix=False)


def _two(words: Sequence[str], *, one_build: bool) -> tuple[Sequence[Comparison], dict[str, Any]]:
    from diptych.report import document_of  # noqa: PLC0415 -- as above
    from diptych.report.gather import compare_files  # noqa: PLC0415 -- as above

    left, right = (Path(word) for word in words)
    found = compare_files(left, right, one_build=one_build)
    return [found], document_of([found], project=found.wheel.identity.name)


def _built(output: Output, *, cell: str, measure: bool) -> tuple[Sequence[Comparison], dict[str, Any]]:
    from diptych.report import document_of  # noqa: PLC0415 -- as above
    from diptych.report.gather import gather  # noqa: PLC0415 -- as above

    workspace = process_workspace(aside=output.aside)
    found = gather(workspace, cell=cell, measure=measure)
    name = workspace.config.project.name
    return found.comparisons, document_of(found.comparisons, project=name, missing=found.missing)


def _show(comparisons: Sequence[Comparison], output: Output, *, matrix: bool) -> None:
    if not matrix:
        from diptych.compare.table import cell_table  # noqa: PLC0415 -- as above

        output.show(cell_table(comparisons[0]))
        return
    from diptych.cell.summary import matrix_tables  # noqa: PLC0415 -- as above

    for table in matrix_tables(process_workspace(), comparisons):
        output.show(table)


def _write_page(path: Path, document: dict[str, Any], output: Output, *, quiet: bool) -> None:
    from diptych.report import page_of  # noqa: PLC0415 -- as above
    from diptych.store import write_text  # noqa: PLC0415 -- as above

    write_text(path, page_of(document))
    if not quiet:
        output.line(f"wrote {path}")


def _preview(words: Sequence[str], into: str, output: Output, *, as_json: bool) -> None:
    if len(words) != 1:
        raise ConfigError(f"--into takes one package, not {len(words)}", hint=_HINT)
    from diptych.compare.into import preview  # noqa: PLC0415 -- as above

    found = preview(Path(words[0]), Path(into))
    if as_json:
        output.json(found.to_json())
        return
    output.show(found.table())
