"""RECORD and paths.json against the contents."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diptych.archives import Mismatch, open_package, verify_record
from diptych.errors import FormatError, UnsupportedError
from helpers.archive_makers import (
    FILES,
    INDEX,
    conda_info,
    make_conda,
    make_environment,
    make_folder,
    make_tar_bz2,
    make_wheel,
    paths_json,
    record_row,
    wheel_files,
)

INFO = "pair-1.2.dist-info"
CORE = "pair/_core.so"


def verified(path: Path) -> tuple[Mismatch, ...]:
    with open_package(path) as package:
        return verify_record(package)


def test_honest_packages(tmp_path: Path) -> None:
    links = {"pair/link.so": "_core.so"}
    assert verified(make_wheel(tmp_path)) == ()
    assert verified(make_conda(tmp_path, links=links, hard={"pair/twin.so": CORE})) == ()
    assert verified(make_tar_bz2(tmp_path, links=links)) == ()
    assert verified(make_folder(tmp_path, wheel_files())) == ()


def test_an_unpacked_conda_package(tmp_path: Path) -> None:
    assert verified(make_folder(tmp_path, {**FILES, **conda_info()})) == ()


def _record(*, without: str = "", more: str = "") -> str:
    rows = wheel_files()[f"{INFO}/RECORD"].decode().splitlines(keepends=True)
    return "".join(row for row in rows if not without or not row.startswith(without)) + more


RECORDS = {
    "missing row": (_record(without=CORE), {CORE: "not recorded"}),
    "missing file": (
        _record(more=record_row("pair/gone.py", b"")),
        {"pair/gone.py": "recorded, but not there"},
    ),
    "outside": (_record(more=record_row("../../x", b"")), {"../../x": "recorded, but not there"}),
    "twice": (_record(more=record_row(CORE, FILES[CORE])), {CORE: "recorded twice"}),
    "wrong hash": (
        _record(without=CORE, more=record_row(CORE, b"\0" * len(FILES[CORE]))),
        {CORE: "wrong hash"},
    ),
    "wrong size": (_record(without=CORE, more=record_row(CORE, b"")), {CORE: "wrong size"}),
    "sha512": (_record(without=CORE, more=record_row(CORE, FILES[CORE], algorithm="sha512")), {}),
    "md5": (
        _record(without=CORE, more=record_row(CORE, FILES[CORE], algorithm="md5")),
        {CORE: "recorded without a hash, or with a weak one"},
    ),
    "no hash": (
        _record(without=CORE, more=f"{CORE},,\n"),
        {CORE: "recorded without a hash, or with a weak one"},
    ),
    "no size": (_record(without=CORE, more=f"{CORE},sha256=abc,\n"), {CORE: 'recorded with the size ""'}),
    "columns": (_record(without="pair/__init__", more="pair/__init__.py\n"), {}),
    "empty": ("", {f"{INFO}/RECORD": "missing"}),
    "blank lines and jws": (_record(more="\n"), {}),
}


@pytest.mark.parametrize("case", RECORDS)
def test_records_of_wheels(tmp_path: Path, case: str) -> None:
    record, expected = RECORDS[case]
    found = {fault.name: fault.cause for fault in verified(make_wheel(tmp_path, wheel_files(record=record)))}
    if case == "columns":
        expected = {f"{INFO}/RECORD line 8": "1 columns, not 3", "pair/__init__.py": "not recorded"}
    if case == "empty":
        assert found.pop(CORE) == "not recorded"
        found = {name: cause for name, cause in found.items() if cause != "not recorded"}
    assert found == expected


def test_a_mismatch_reads_well(tmp_path: Path) -> None:
    record = _record(without=CORE, more=record_row(CORE, b"12345"))
    (fault,) = verified(make_wheel(tmp_path, wheel_files(record=record)))
    assert str(fault) == f"{CORE}: wrong size: {len(FILES[CORE])} instead of 5"


@pytest.mark.parametrize("text", ['"open quote', f"{'x' * 200_000},,\n"])
def test_a_record_that_is_no_csv(tmp_path: Path, text: str) -> None:
    path = make_wheel(tmp_path, wheel_files(record=text))
    with pytest.raises(FormatError, match=r"RECORD.: not CSV"):
        verified(path)


@pytest.mark.parametrize(
    ("headers", "cause"),
    [
        ("Metadata-Version: 2.1\nName: peer\nVersion: 1.2\n", "another name: peer instead of pair"),
        ("Metadata-Version: 2.1\nName: pair\nVersion: 1.3\n", "another version: 1.3 instead of 1.2"),
        ("Metadata-Version: 2.1\nName: pair\nVersion: x y\n", "another version: x y instead of 1.2"),
    ],
)
def test_metadata_against_the_file_name(tmp_path: Path, headers: str, cause: str) -> None:
    files = wheel_files()
    files[f"{INFO}/METADATA"] = headers.encode()
    files[f"{INFO}/RECORD"] = _record(
        without=f"{INFO}/METADATA", more=record_row(f"{INFO}/METADATA", headers.encode())
    ).encode()
    assert [str(fault) for fault in verified(make_wheel(tmp_path, files))] == [f"{INFO}/METADATA: {cause}"]


def _paths(**changes: object) -> bytes:
    table = json.loads(paths_json(FILES, {}))
    (row,) = (row for row in table["paths"] if row["_path"] == CORE)
    row.update(changes)
    return json.dumps(table).encode()


PATHS = {
    "size": (_paths(size_in_bytes=1), {CORE: "wrong size"}),
    "hash": (_paths(sha256="0" * 64), {CORE: "wrong hash"}),
    "kind": (_paths(path_type="softlink"), {CORE: "another kind"}),
    "no hash": (_paths(sha256=None), {CORE: "recorded without size or SHA-256"}),
    "renamed": (_paths(_path="x"), {CORE: "not recorded", "x": "recorded, but not there"}),
    "not a path": (_paths(_path=5), {CORE: "not recorded", "info/paths.json entry 1": "not a path"}),
    "not a list": (b'{"paths": {}}', {"info/paths.json": "missing, or without a list of paths"}),
}


@pytest.mark.parametrize("case", PATHS)
def test_paths_of_conda_packages(tmp_path: Path, case: str) -> None:
    text, expected = PATHS[case]
    found = verified(make_conda(tmp_path, info={**conda_info(), "info/paths.json": text}))
    causes = {fault.name: fault.cause for fault in found}
    if case == "not a list":
        causes = {name: cause for name, cause in causes.items() if cause != "not recorded"}
    assert causes == expected


def test_nothing_recorded_is_not_verified(tmp_path: Path) -> None:
    for path in (make_environment(tmp_path), tmp_path / "file"):
        if not path.exists():
            path.write_bytes(b"")
        with pytest.raises(UnsupportedError, match="has no record of its files"):
            verified(path)


def test_index_without_paths(tmp_path: Path) -> None:
    path = make_conda(tmp_path, info={"info/index.json": json.dumps(INDEX).encode()})
    assert Mismatch(name="info/paths.json", cause="missing, or without a list of paths") in verified(path)
