"""The document against its schema, the Markdown, the page, and the terminal at 80 columns."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from rich.console import Console

from diptych.cell.summary import costs_table, matrix_table
from diptych.compare import Comparison
from diptych.compare.table import across_table, cell_table, differences_table
from diptych.cost import Benchmark, Cost, Costs, Shared
from diptych.output import Output
from diptych.report import document_of, markdown_of, page_of
from diptych.report.document import schema
from diptych.workspace import open_workspace
from helpers.compare_pairs import SITE, Made, compared

CELLS = ("3.10-gcc", "3.11-gcc", "3.12-gcc")
FACTS = {
    "tests": {"in source": 7, "seconds": 0.5},
    "compiler": {"family": "gcc", "version": "12"},
    "times": {"seconds": 1.5},
}


def side(**more: Any) -> Cost:  # noqa: ANN401 -- fields of a Cost
    figures: dict[str, Any] = {
        "install_seconds": 12.25,
        "import_seconds": 0.1234,
        "load_seconds": 0.00151,
        "loaded": 4,
        "own": 5000,
        "shared": (Shared(name="numpy", version="2.1", size=2_000_000),),
        "benchmark": Benchmark(seconds=1.5, numbers={"fit, ms": 12.3456}),
    }
    return Cost(**{**figures, **more})


COSTS = Costs(left=side(), right=side(load_seconds=None, loaded=None), command="python bench.py")


def spiteful(made: Made) -> None:
    """Names that would end a script element, a table cell or a line of Markdown."""
    made.conda.about["summary"] = "</script><script>alert(1)</script> a|b `c` *d* \u2028"
    made.conda.files[f"{SITE}/pair/<b>x.py"] = b""


@pytest.fixture
def comparisons(tmp_path: Path) -> list[Comparison]:
    found = []
    for cell in CELLS:
        folder = tmp_path / cell
        folder.mkdir()
        made = compared(folder, spiteful if cell == "3.12-gcc" else lambda _: None)
        facts = FACTS if cell == "3.10-gcc" else {**FACTS, "cost": COSTS.to_json()}
        found.append(replace(made, cell=cell, facts=facts))
    return found


@pytest.fixture
def document(comparisons: list[Comparison]) -> dict[str, Any]:
    return document_of(comparisons, project="pair", missing=["3.13-gcc"])


def test_schema_is_a_schema_of_its_version(document: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    assert schema()["properties"]["schema"] == {"const": document["schema"]}
    assert f"-{document['schema']}.json" in schema()["$id"]


def test_document_follows_the_schema(document: dict[str, Any], comparisons: list[Comparison]) -> None:
    validator = jsonschema.Draft202012Validator(schema())
    validator.validate(json.loads(json.dumps(document)))
    validator.validate(json.loads(json.dumps(document_of(comparisons[:1]))))


def test_schema_refuses_what_it_does_not_know(document: dict[str, Any]) -> None:
    strange = {**json.loads(json.dumps(document)), "more": 1}
    assert not jsonschema.Draft202012Validator(schema()).is_valid(strange)


def test_document_says_what_was_found(document: dict[str, Any]) -> None:
    assert document["verdict"] == "different"
    assert [cell["verdict"] for cell in document["cells"]] == ["equal", "equal", "different"]
    assert {code for cell in document["cells"] for code in (one["code"] for one in cell["findings"])} == set(
        document["rules"]
    )
    graph = document["cells"][0]["graph"]
    assert {node["id"]: node["kind"] for node in graph["left"]["nodes"]}["libz.so.1"] == "grafted"
    assert {node["id"]: node["kind"] for node in graph["right"]["nodes"]}["libz.so.1"] == "package"
    assert document["across"]["repeats"][0]["binary"] == "pair/_core"


def test_markdown_has_a_line_for_each_cell_and_difference(document: dict[str, Any]) -> None:
    text = markdown_of(document)
    for cell in CELLS:
        assert re.search(rf"^\| {cell} \| ", text, re.MULTILINE)
    assert "Not built: 3.13-gcc." in text
    rows = [line for line in text.splitlines() if line.startswith(("| ❌ error", "| 🟡 drift |"))]
    assert ["DIP821" in rows[0], "DIP844" in rows[1], len(rows)] == [True, True, 2]
    assert f"[DIP821]({document['rules']['DIP821']['page']})" in rows[0]
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 6 for line in rows)
    assert "<script>" not in text


def test_markdown_tells_what_was_measured(document: dict[str, Any]) -> None:
    text = markdown_of(document)
    (row,) = re.findall(r"^\| 3.11-gcc \| (5.0 kB .*) \|$", text, re.MULTILINE)
    told = ["5.0 kB / 5.0 kB", "2.0 MB / 2.0 MB", "12.2 s / 12.2 s", "123 ms / 123 ms", "1.51 ms / -"]
    assert row.split(" | ") == [*told, "1.50 s / 1.50 s"]
    assert "| 3.11-gcc | 12.3456 / 12.3456 |" in text


def test_page_stands_alone_and_holds_the_document(document: dict[str, Any]) -> None:
    page = page_of(document)
    body = re.search(r'<script type="application/json" id="document">(.*?)</script>', page, re.DOTALL)
    assert body is not None
    assert json.loads(body[1]) == json.loads(json.dumps(document))
    markup = page.replace(body[1], "")
    assert not re.findall(r"(?:src|href)=\"?(?:https?:)?//", markup)
    assert not re.findall(r"@import|url\((?!['\"]?(?:data:|#))", markup)
    assert "MIT License" in page or "Permission is hereby granted" in page
    assert len(page) < 400_000


@pytest.mark.parametrize("env", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["plain", "NO_COLOR", "dumb"])
def test_terminal_fits_80_columns_without_colour(
    env: dict[str, str], comparisons: list[Comparison], capsys: pytest.CaptureFixture[str]
) -> None:
    output = Output(env=env)
    output.show(cell_table(comparisons[2]))
    differences = differences_table(comparisons)
    assert differences
    output.show(differences)
    for table in (across_table(comparisons), costs_table(comparisons)):
        assert table is not None
        output.show(table)
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    assert re.search(r"^DIFFERENT +\d+ of \d+ code sections byte-equal", text, re.MULTILINE)
    assert "DIP821 pair/<b>x.py" in text
    assert "…" not in text


def test_terminal_tells_what_was_measured(
    comparisons: list[Comparison], capsys: pytest.CaptureFixture[str]
) -> None:
    Output(env={}).show(cell_table(comparisons[1]))
    rows = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    found = {" ".join(row).strip().partition(" ")[0]: [word.strip() for word in row if word] for row in rows}
    assert found["install"] == ["install", "12.2 s", "same"]
    assert found["load"] == ["load", "1.51 ms for 4 files", "only after its Python code"]
    assert found["12.35"] == ["12.35", "fit, ms"]


def test_the_matrix_fits_80_columns_with_long_names(
    comparisons: list[Comparison], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "pair"\nversion = "1.2"\n[tool.diptych]\npython = ["3.12"]\n'
    )
    workspace = open_workspace(tmp_path, env={}, machine="x86_64", output=Output(env={}))
    cell = "3.12-conda-clang-with-libcxx-and-sanitizers"
    workspace.output.show(matrix_table(workspace, [replace(comparisons[2], cell=cell)]))
    text = capsys.readouterr().out
    assert (max(map(len, text.splitlines())) <= 80, "…" in text) == (True, False)
    assert "DIFFERENT" in text
    assert "".join(line[1:30].split("  ")[0].strip() for line in text.splitlines()[4:-1]) == cell


def test_a_long_name_is_folded_never_cut(
    comparisons: list[Comparison], capsys: pytest.CaptureFixture[str]
) -> None:
    title = "pair-1.2-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
    pair = comparisons[0].pair
    long = replace(comparisons[0], pair=replace(pair, left=replace(pair.left, title=title)))
    Output(env={}).show(cell_table(long))
    lines = capsys.readouterr().out.splitlines()
    assert "".join(line[14:46].strip() for line in lines[3:6]).startswith(title)
    assert any(line.startswith("pair/_core.cpython-311-x86_64-linux-gnu.so: ") for line in lines)


def test_one_cell_fits_one_screen(comparisons: list[Comparison], capsys: pytest.CaptureFixture[str]) -> None:
    Output(env={}).show(cell_table(comparisons[1]))
    assert len(capsys.readouterr().out.splitlines()) <= 40


def test_a_terminal_links_each_difference_to_its_rule(comparisons: list[Comparison]) -> None:
    console = Console(force_terminal=True, width=120, file=io.StringIO(), record=True, legacy_windows=False)
    console.print(cell_table(comparisons[2]))
    console.print(differences_table(comparisons))
    html = console.export_html()
    assert html.count('href="https://diptych.example/docs/reference/compare-rules.html#dip821"') == 2


def test_the_example_report_of_the_site_follows_the_schema() -> None:
    """Where this fails: python docs/images/make_pictures.py report."""
    example = Path(__file__).parents[2] / "docs" / "images" / "report.json"
    document = json.loads(example.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema()).validate(document)
    assert str(document["schema"]) in page_of(document)
