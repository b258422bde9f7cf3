"""Faults of containers, each beside its healthy twin: what the doctor says of both, and nothing else."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from diptych.doctor import Report, examine, find_target
from diptych.rules import Severity, all_rules
from helpers.container_cases import CONDAS, PLAIN, WHEELS, WheelCase
from helpers.elf_edits import EDITS

PAIRS = {
    **{f"wheel, {name}": pair for name, pair in WHEELS.items()},
    **{f"conda, {name}": pair for name, pair in CONDAS.items()},
}
SITE = "lib/python3.11/site-packages"


def report(path: Path) -> Report:
    return examine([find_target(str(path), cwd=path.parent, search=[])], rules=all_rules(), host=None)


def said(path: Path) -> set[tuple[str, Severity]]:
    return {(one.code, one.severity) for one in report(path).findings}


@pytest.mark.parametrize("name", PAIRS)
def test_the_fault_is_found(name: str, tmp_path: Path) -> None:
    pair = PAIRS[name]
    assert said(pair.bad.write(tmp_path)) == {(pair.code, pair.severity)}


@pytest.mark.parametrize("name", PAIRS)
def test_its_twin_is_healthy(name: str, tmp_path: Path) -> None:
    assert said(PAIRS[name].good.write(tmp_path)) == set()


def test_a_symbolic_link_in_a_wheel(tmp_path: Path) -> None:
    path = PLAIN.write(tmp_path)
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("pair_link.py")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "pair.py")
    assert {("DIP514", Severity.ERROR)} <= said(path)


def test_a_source_that_cannot_be_inflated(tmp_path: Path) -> None:
    path = WheelCase(more={"pair/text.py": b"words = 'unlikely bytes'\n" * 9}).write(tmp_path)
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo("pair/text.py")
    data = bytearray(path.read_bytes())
    at = entry.header_offset + 30 + len(entry.filename) + entry.compress_size // 2
    data[at] ^= 0xFF
    path.write_bytes(data)
    (found,) = report(path).findings
    assert (found.code, found.place) == ("DIP511", "pair/text.py")
    assert "damaged" in found.message


def test_every_finding_names_both_sides(tmp_path: Path) -> None:
    (found,) = report(WHEELS["another version in METADATA"].bad.write(tmp_path)).findings
    assert any("1.3 instead of 1.2" in line for line in found.evidence)


def environment(folder: Path, records: dict[str, list[str]], more: tuple[str, ...] = ()) -> Path:
    for name, files in records.items():
        for file in (*files, *more):
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
        record = {"name": name, "version": "1", "build": "0", "files": files, "depends": []}
        (folder / "conda-meta").mkdir(exist_ok=True)
        (folder / "conda-meta" / f"{name}-1-0.json").write_text(json.dumps(record))
    return folder


def test_one_path_of_two_packages(tmp_path: Path) -> None:
    shared = f"{SITE}/tests/__init__.py"
    bad = environment(tmp_path / "bad", {"one": [shared, "a"], "two": [shared, "b"]})
    good = environment(tmp_path / "good", {"one": [shared, "a"], "two": ["b"]})
    (found,) = report(bad).findings
    assert (found.code, found.place, found.severity) == ("DIP521", shared, Severity.ERROR)
    assert "one and two" in found.message
    assert report(good).findings == ()


def test_one_project_of_pip_and_conda(tmp_path: Path) -> None:
    mine, other = (f"{SITE}/my_pair-{version}.dist-info/METADATA" for version in ("1.2", "1.3"))
    bad = environment(tmp_path / "bad", {"my-pair": [mine]}, more=(other,))
    good = environment(
        tmp_path / "good", {"my-pair": [mine]}, more=(f"{SITE}/my_pair_x-1.3.dist-info/METADATA",)
    )
    (found,) = report(bad).findings
    assert (found.code, found.severity) == ("DIP522", Severity.DRIFT)
    assert any("package my-pair" in line for line in found.evidence)
    assert report(good).findings == ()


def test_there_are_as_many_crafted_files_as_were_promised() -> None:
    """Each has a healthy twin, and tests/integration tries it with the loader, pip or rattler; some files of rules come on top."""
    assert len(EDITS) + len(WHEELS) + len(CONDAS) >= 150
