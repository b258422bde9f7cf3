"""What must not go out is named: stand-in channels, versions that disagree, findings, collisions, tampered folders."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from diptych.compare.waivers import Waiver
from diptych.errors import ReleaseError
from diptych.fanout.collect import Placed
from diptych.fanout.piece import Piece
from diptych.records import PROVENANCE, CondaPackages
from diptych.release.assemble import Part, assemble, read_assembled, refuse_collisions
from diptych.release.gate import check_findings, check_libraries, check_sources_of, check_versions
from diptych.release.model import Kind
from diptych.release.statements import Origin
from diptych.report.document import document_of
from diptych.store import write_json
from helpers.archive_makers import FILES, make_wheel, wheel_files
from helpers.conda_package import tiny_conda
from helpers.elf_builder import elf

ORIGIN = Origin(project="pair", version="1.2.0", repository="", commit="ab" * 20, tag="v1.2.0", builder="")


def placed(folder: Path, *, version: str = "1.2.0", cell: str = "3.11-gcc", **provenance: object) -> Placed:
    folder.mkdir()
    wheel = make_wheel(folder, wheel_files(FILES))
    conda = tiny_conda(folder, "pair", version, "py311_0")
    for path in (wheel, conda):
        write_json(path.with_name(path.name + PROVENANCE), provenance)
    piece = Piece(
        folder=folder, cell=cell, platform="linux-64", project="pair", version="1.2.0", table="t",
        sources="s", tests={}, files=(),
    )  # fmt: skip
    return Placed(piece=piece, wheel=wheel, conda=CondaPackages(main=conda), first_compiler=True)


def test_a_stand_in_channel_is_named_with_its_reason(tmp_path: Path) -> None:
    several = [
        placed(tmp_path / "a", fallback="conda-forge is down"),
        placed(tmp_path / "b", cell="3.12-gcc"),
    ]
    check = check_sources_of(several, [])
    assert "3.11-gcc-linux-64: built from the local channel (conda-forge is down)" in check.fault
    assert not check_sources_of(several, ["local"]).fault
    assert not check_sources_of([several[1]], []).fault


def test_a_library_that_no_public_channel_has(tmp_path: Path) -> None:
    url = "file:///x/.diptych/compiled/zig-libcxx1-12345678/linux-64/libboost-python-1.90.0-py311_libcxx1_h1_0.conda"
    one = placed(tmp_path / "a", cell="3.11-zig", lock=[{"name": "libboost-python", "url": url}])
    assert not check_libraries([one], []).fault, "only its wheel needs it"
    conda = tiny_conda(
        tmp_path, "pair", "1.2.0", "py311_0", depends=["libboost-python >=1.90.0,<1.91.0a0 *_libcxx1_*"]
    )
    needs = replace(one, conda=CondaPackages(main=conda))
    fault = check_libraries([needs, one], []).fault
    assert fault.startswith("3.11-zig-linux-64 needs libboost-python, compiled by the cell itself")
    assert not check_libraries([needs], ["local"]).fault


def test_versions_that_agree_and_that_do_not(tmp_path: Path) -> None:
    good = placed(tmp_path / "good", cmake_version="1.2.0")
    version = good.wheel.name.split("-")[1]
    assert "not version 9.9" in check_versions([good], "9.9").fault
    conda = placed(tmp_path / "conda", version="7.0")
    assert f"{conda.conda.main.name} has 7.0" in check_versions([conda], version).fault
    same = replace(good, conda=CondaPackages(main=tiny_conda(tmp_path / "same", "pair", version, "py311_0")))
    write_json(same.wheel.with_name(same.wheel.name + PROVENANCE), {"cmake_version": version})
    assert not check_versions([same], version).fault
    write_json(same.wheel.with_name(same.wheel.name + PROVENANCE), {"cmake_version": "0.9"})
    assert "CMakeLists.txt of 3.11-gcc-linux-64 has 0.9" in check_versions([same], version).fault


def test_a_library_of_another_version(tmp_path: Path) -> None:
    good = placed(tmp_path / "good")
    library = tiny_conda(tmp_path / "other", "libpair", "1.1.9", "h0_0")
    conda = CondaPackages(main=good.conda.main, library=library)
    assert f"{library.name} has 1.1.9" in check_versions([replace(good, conda=conda)], "1.2.0").fault


def test_findings_of_severity_error_stand_unless_waived(tmp_path: Path) -> None:
    name = "pair/_core.cpython-311-x86_64-linux-gnu.so"
    content = elf(needed=("libpython3.11.so.1.0",))
    wheel = make_wheel(tmp_path, wheel_files({**FILES, name: content}))
    check = check_findings([wheel], [], cwd=tmp_path)
    codes = sorted({word for word in check.fault.split() if word.startswith("DIP")})
    assert "DIP101" in codes
    waivers = [Waiver(code=code, glob="*", reason="tried") for code in codes]
    assert not check_findings([wheel], waivers, cwd=tmp_path).fault
    idle = Waiver(code="DIP101", glob="other.so", reason="tried")
    assert (
        'DIP101 for "other.so" covers nothing'
        in check_findings([wheel], [*waivers, idle], cwd=tmp_path).fault
    )
    for_differences = Waiver(code="DIP834", glob="*", reason="tried")
    assert not check_findings([wheel], [*waivers, for_differences], cwd=tmp_path).fault


def parts(folder: Path) -> list[Part]:
    one = placed(folder)
    return [
        Part(kind=Kind.WHEEL, path=one.wheel, provenance={}),
        Part(kind=Kind.CONDA, path=one.conda.main, subdir="linux-64", provenance={}),
    ]


def test_two_artefacts_of_one_name(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="one file") as caught:
        refuse_collisions([*parts(tmp_path / "a"), *parts(tmp_path / "b")])
    assert len(caught.value.details) == 2


@pytest.fixture
def release(tmp_path: Path) -> Path:
    out = tmp_path / "dist" / "release"
    assemble(
        parts(tmp_path / "made"), out, origin=ORIGIN, news="- New.", document=document_of([], project="pair")
    )
    return out


def test_a_release_reads_back(release: Path) -> None:
    found = read_assembled(release)
    assert [one.kind for one in found.items] == [Kind.WHEEL, Kind.CONDA]
    assert found.items[1].name == "linux-64/pair-1.2.0-py311_0.conda"
    assert not list(release.parent.glob(".*"))


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda root: (root / "SHA256SUMS").unlink(), "is not what"),
        (lambda root: (root / "release.json").write_text("{}"), "is not what"),
        (lambda root: (root / "release.json").write_text("["), "is not what"),
        (lambda root: (root / "NOTES.md").write_text("x"), "NOTES.md"),
        (lambda root: next((root / "wheels").glob("*.whl")).unlink(), "missing"),
        (lambda root: (root / "SHA256SUMS").write_text("0" * 64 + "  ../../etc/passwd\n"), "is not what"),
    ],
    ids=["no sums", "empty listing", "no JSON", "edited note", "no wheel", "a sum outside"],
)
def test_a_release_that_was_touched(release: Path, edit: Callable[[Path], object], words: str) -> None:
    edit(release)
    with pytest.raises(ReleaseError) as caught:
        read_assembled(release)
    assert words in str(caught.value)


@pytest.mark.parametrize("file", ["../../../etc/passwd", "conda/x.whl", "/etc/passwd"])
def test_a_listing_that_leads_out(release: Path, file: str) -> None:
    listing = json.loads((release / "release.json").read_text())
    listing["items"][0]["file"] = file
    (release / "release.json").write_text(json.dumps(listing))
    with pytest.raises(ReleaseError, match="is not what"):
        read_assembled(release)
