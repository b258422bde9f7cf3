"""``diptych compare`` as a person types it, on crafted packages."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from diptych import process
from diptych.report.document import schema
from helpers.compare_pairs import SITE, base, write


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    return write(base(), tmp_path)


@pytest.fixture
def unlike(tmp_path: Path) -> tuple[Path, Path]:
    made = base()
    made.conda.files[f"{SITE}/pair/table.txt"] = b"1 2 4\n"
    return write(made, tmp_path)


def compare(env: dict[str, str], cwd: Path, *words: str | Path) -> process.Completed:
    return process.run(["diptych", "compare", *words], env=env, cwd=cwd, check=False, timeout=60)


def test_alike_packages_end_well_and_unlike_ones_with_12(
    env: dict[str, str], tmp_path: Path, unlike: tuple[Path, Path]
) -> None:
    (tmp_path / "alike").mkdir()
    done = compare(env, tmp_path, *write(base(), tmp_path / "alike"))
    assert (done.returncode, "equal" in done.output) == (0, True)
    done = compare(env, tmp_path, *unlike, "--one-build")
    assert done.returncode == 12
    assert "DIP822 pair/table.txt" in done.output
    assert compare(env, tmp_path, *unlike).returncode == 0  # two builds: drift


def test_json_follows_the_published_schema(
    env: dict[str, str], tmp_path: Path, pair: tuple[Path, Path]
) -> None:
    done = compare(env, tmp_path, *pair, "--json")
    jsonschema.validate(json.loads(done.output), schema(), cls=jsonschema.Draft202012Validator)


def test_provenance_beside_both_tells_one_build(
    env: dict[str, str], tmp_path: Path, unlike: tuple[Path, Path]
) -> None:
    for path in unlike:
        beside = path.with_name(f"{path.name}.provenance.json")
        beside.write_text(json.dumps({"inputs": {"stage": "abc"}}))
    assert compare(env, tmp_path, *unlike).returncode == 12


def test_page_and_markdown_are_written(env: dict[str, str], tmp_path: Path, pair: tuple[Path, Path]) -> None:
    done = compare(env, tmp_path, *pair, "--markdown", "--html", tmp_path / "page.html")
    assert done.output.startswith("## pair: wheel | conda\n")
    assert "pair-1.2-py311_0.conda" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_same_kind_can_be_compared(env: dict[str, str], tmp_path: Path, pair: tuple[Path, Path]) -> None:
    for path in pair:
        done = compare(env, tmp_path, path, path, "--one-build", "--json")
        (cell,) = json.loads(done.output)["cells"]
        assert (cell["verdict"], [one["severity"] for one in cell["findings"]]) == ("equal", [])


def test_a_wrong_number_of_packages_is_said(
    env: dict[str, str], tmp_path: Path, pair: tuple[Path, Path]
) -> None:
    done = compare(env, tmp_path, pair[0])
    assert done.returncode == 3
    assert "two packages or none, not 1" in done.output


def test_what_is_no_package_is_said(env: dict[str, str], tmp_path: Path, pair: tuple[Path, Path]) -> None:
    (tmp_path / "text.whl").write_text("no zip")
    assert compare(env, tmp_path, pair[0], tmp_path / "text.whl").returncode == 13
