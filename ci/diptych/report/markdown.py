"""The comparisons as Markdown, for the summary of a CI job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from diptych.output import human_size, human_time

_WORDS = {"equal": "✅ equal", "drift": "🟡 drift", "different": "❌ different"}
_SHORT = {"error": "❌ error", "drift": "🟡 drift"}
_MOST_CELLS = 8


def markdown_of(document: Mapping[str, Any]) -> str:
    """Return a document as GitHub-flavoured Markdown: the matrix, what differs, what only all cells show."""
    lines = [
        f"## {document['project'] or 'Two packages'}: wheel | conda",
        "",
        *_matrix(document["cells"]),
        "",
    ]
    if document["missing"]:
        lines += [f"Not built: {', '.join(document['missing'])}.", ""]
    lines += [*_findings(document), *_costs(document["cells"]), *_across(document["across"])]
    return "\n".join(lines).rstrip() + "\n"


def _matrix(cells: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "| cell | verdict | code sections equal | wheel | conda | errors | drift | expected |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for cell in cells:
        counts = cell["counts"]
        yield (
            f"| {_escaped(cell['cell'])} | {_WORDS[cell['verdict']]} "
            f"| {cell['code']['equal']} of {cell['code']['sections']} "
            f"| {human_size(cell['left']['download'])} | {human_size(cell['right']['download'])} "
            f"| {counts['error']} | {counts['drift']} | {counts['expected']} |"
        )


def grouped(cells: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str, str, str], list[str]]:
    """Return (severity, code, place, message) → the cells that say so; what is expected is left out."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for cell in cells:
        for one in cell["findings"]:
            if one["severity"] != "expected":
                label = "waived" if one["waived"] else one["severity"]
                text = f"{one['message']} (waived: {one['waived']})" if one["waived"] else one["message"]
                found.setdefault((label, one["code"], one["place"], text), []).append(cell["cell"])
    order = ("error", "drift", "waived")
    return dict(sorted(found.items(), key=lambda item: (order.index(item[0][0]), item[0][1:])))


def _findings(document: Mapping[str, Any]) -> Iterator[str]:
    rows = grouped(document["cells"])
    if not rows:
        return
    yield "| | rule | where | what | cells |"
    yield "| --- | --- | --- | --- | --- |"
    total = len(document["cells"])
    for (label, code, place, message), cells in rows.items():
        rule = document["rules"][code]
        names = (
            "all"
            if len(cells) == total
            else ", ".join(cells[:_MOST_CELLS]) + (" …" if len(cells) > _MOST_CELLS else "")
        )
        yield (
            f"| {_SHORT.get(label, label)} | [{code}]({rule['page']}) {_escaped(rule['title'])} | {_code(place)} | {_escaped(message)} "
            f"| {_escaped(names)} |"
        )
    yield ""


def _costs(cells: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Tell what was measured; each figure wheel first, then conda package."""
    known = [cell for cell in cells if cell["cost"]]
    if not known:
        return
    benchmark = any(cell["cost"]["command"] for cell in known)
    yield "**Cost in clean environments**, wheel / conda package"
    yield ""
    yield "| cell | installed | with shared packages | install | import | load |" + " benchmark |" * benchmark
    yield "| --- | ---: | ---: | ---: | ---: | ---: |" + " ---: |" * benchmark
    for cell in known:
        sides = cell["cost"]["left"], cell["cost"]["right"]
        columns = [
            [human_size(side["own"]) for side in sides],
            [human_size(side["with_shared"]) for side in sides],
            *(
                ["-" if side[name] is None else human_time(side[name]) for side in sides]
                for name in ("install_seconds", "import_seconds", "load_seconds")
            ),
        ]
        if benchmark:
            runs = [side["benchmark"] for side in sides]
            columns.append([human_time(run["seconds"]) if run else "-" for run in runs])
        yield f"| {_escaped(cell['cell'])} | " + " | ".join(" / ".join(column) for column in columns) + " |"
    yield ""
    yield from _printed(known)


def _printed(cells: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Tell the numbers that the project's benchmark printed."""
    names = list(
        dict.fromkeys(
            name
            for cell in cells
            for side in ("left", "right")
            for name in (cell["cost"][side]["benchmark"] or {"numbers": {}})["numbers"]
        )
    )
    if not names:
        return
    yield f"| benchmark | {' | '.join(map(_escaped, names))} |"
    yield f"| --- |{' ---: |' * len(names)}"
    for cell in cells:
        sides = [
            (cell["cost"][side]["benchmark"] or {"numbers": {}})["numbers"] for side in ("left", "right")
        ]
        told = (" / ".join(f"{side[name]:g}" if name in side else "-" for side in sides) for name in names)
        yield f"| {_escaped(cell['cell'])} | {' | '.join(told)} |"
    yield ""


def _across(across: Mapping[str, Any] | None) -> Iterator[str]:
    if not across:
        return
    if across["oddities"]:
        yield "**Cells that are not alike**"
        yield ""
        for one in across["oddities"]:
            values = "; ".join(f"{_escaped(name)} ({', '.join(cells)})" for name, cells in one["values"])
            yield f"- {_escaped(one['trait'])}: {values}"
        yield ""
    if across["repeats"]:
        yield "**Compiled to the same code more than once**"
        yield ""
        for one in across["repeats"]:
            what = "all code" if one["whole"] else ".text"
            yield f"- {_code(one['binary'])}: {what} equal in {', '.join(one['cells'])}"
        yield ""


def _escaped(text: str) -> str:
    plain = text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`")
    return " ".join(plain.replace("*", "\\*").replace("_", "\\_").replace("[", "\\[").split())


def _code(text: str) -> str:
    return f"`{text.replace('`', '').replace('|', chr(92) + '|')}`" if text else ""
