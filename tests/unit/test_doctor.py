"""Reports in their three forms, targets, and what happens with damaged ones."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from diptych.doctor import Report, examine, find_target
from diptych.doctor.json_sarif import to_json, to_sarif
from diptych.doctor.targets import packages_in
from diptych.doctor.text import report_lines
from diptych.doctor.why_tag import why_tag
from diptych.doctor.why_tag_text import why_tag_lines
from diptych.errors import ConfigError, FormatError
from diptych.rules import Severity, all_rules
from helpers.archive_makers import honest_wheel, make_wheel, wheel_files
from helpers.elf_builder import Sym, elf

LINUX = "pair-1.2-cp311-cp311-manylinux_2_17_x86_64.whl"
LONG = "a_folder_with_a_rather_long_name/and_another_one_below_it_that_is_longer_than_a_line_is_wide"


def module(**parts: object) -> bytes:
    symbols = (Sym(name="PyInit__core", defined=True), Sym(name="PyModule_Create2"))
    return elf(**{"symbols": symbols, **parts})  # type: ignore[arg-type]


def bad_wheel(folder: Path) -> Path:
    data = module(needed=["libpython3.11.so.1.0", "libc.so.6"], rpath="/opt/conda/envs/build/lib")
    return honest_wheel(folder, {"pair/_core.so": data, f"pair/{LONG}.so": data}, name=LINUX)


def examined(*paths: Path) -> Report:
    targets = [find_target(str(path), cwd=Path("/"), search=[]) for path in paths]
    return examine(targets, rules=all_rules(), host=None)


def test_text_has_evidence_cause_and_next_step_in_80_columns(tmp_path: Path) -> None:
    lines = [line.text for line in report_lines(examined(bad_wheel(tmp_path)))]
    text = "\n".join(lines)
    assert "DIP101 error: extension module linked to libpython3.11.so.1.0" in text
    assert "NEEDED libpython3.11.so.1.0" in text
    assert "  cause: " in text
    assert "  next:  " in text
    assert lines[-1].startswith("3 errors") or lines[-1].startswith("2 errors")
    too_wide = [line for line in lines if len(line) > 80]
    assert all(len(line.split()) == 1 for line in too_wide), too_wide  # a path cannot be wrapped


def test_json_is_versioned_and_whole(tmp_path: Path) -> None:
    value = json.loads(json.dumps(to_json(examined(bad_wheel(tmp_path)))))
    assert value["schema"] == "diptych.doctor/1"
    (target,) = value["targets"]
    assert target["kind"] == "wheel"
    assert target["binaries"] == 2
    assert {finding["code"] for finding in target["findings"]} == {"DIP101", "DIP301"}
    assert value["summary"]["error"] == len(target["findings"])
    assert target["skipped"]["DIP601"] == "no Mach-O file here"
    assert set(value["rules"]) == {"DIP101", "DIP301"}
    assert value["rules"]["DIP301"]["page"].endswith("/reference/rules.html#dip301")


def test_sarif_refers_to_its_rules(tmp_path: Path) -> None:
    value = to_sarif(examined(bad_wheel(tmp_path)))
    assert value["version"] == "2.1.0"
    (run,) = value["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert run["results"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] == "error"
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].endswith(".whl")
        assert result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"]


def test_one_damaged_member_is_a_finding_and_the_rest_is_read(tmp_path: Path) -> None:
    good = module(needed=["libpython3.11.so.1.0"])
    files = {
        "pair/_core.so": good,
        "pair/cut.so": good[: len(good) // 2],
        "pair/noise.so": b"\x7fELF" + b"\xff" * 500,
    }
    report = examined(make_wheel(tmp_path, wheel_files(files), name=LINUX))
    found = {(finding.code, finding.place) for finding in report.findings}
    assert ("DIP101", "pair/_core.so") in found
    assert ("DIP502", "pair/cut.so") in found
    assert ("DIP502", "pair/noise.so") in found


def test_a_member_with_a_wrong_checksum_is_a_finding(tmp_path: Path) -> None:
    path = make_wheel(
        tmp_path, wheel_files({"pair/_core.so": module(), "pair/_b.so": module(rpath="/x")}), name=LINUX
    )
    raw = bytearray(path.read_bytes())
    start = raw.index(b"pair/_core.so") + len(b"pair/_core.so") + 40
    raw[start] ^= 0xFF
    path.write_bytes(raw)
    codes = {(finding.code, finding.place) for finding in examined(path).findings}
    assert ("DIP502", "pair/_core.so") in codes
    assert any(place == "pair/_b.so" for _, place in codes)


def test_a_damaged_archive_is_the_same_finding_alone_and_among_several(tmp_path: Path) -> None:
    broken = tmp_path / "x-1-py3-none-any.whl"
    broken.write_bytes(b"PK no zip")
    alone, among = examined(broken), examined(broken, bad_wheel(tmp_path))
    assert to_json(alone)["targets"][0] == to_json(among)["targets"][0]
    assert [(one.code, one.severity) for one in alone.findings] == [("DIP502", Severity.ERROR)]
    assert "not a zip file" in alone.findings[0].evidence[0]


def test_a_text_is_no_target(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("hello", encoding="utf-8")
    (found,) = examined(tmp_path / "x.txt").findings
    assert found.code == "DIP502"
    assert "neither a package nor" in found.evidence[0]


def test_a_file_and_a_folder(tmp_path: Path) -> None:
    (tmp_path / "pair").mkdir()
    file = tmp_path / "pair" / "_core.so"
    file.write_bytes(module(needed=["libpython3.11.so.1.0"]))
    alone = examined(file).judged[0]
    assert (alone.evidence.kind, alone.findings[0].place) == ("file", str(file))
    folder = examined(tmp_path).judged[0]
    assert (folder.evidence.kind, folder.findings[0].place) == ("folder", "pair/_core.so")


def test_a_module_is_found_without_importing_it(tmp_path: Path) -> None:
    (tmp_path / "pair").mkdir()
    (tmp_path / "pair" / "__init__.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    suffix = __import__("importlib.machinery").machinery.EXTENSION_SUFFIXES[0]
    (tmp_path / "pair" / f"_core{suffix}").write_bytes(module())
    found = find_target("pair._core", cwd=Path("/"), search=[str(tmp_path)])
    assert found.path == tmp_path / "pair" / f"_core{suffix}"
    assert find_target("pair", cwd=Path("/"), search=[str(tmp_path)]).path == tmp_path / "pair"
    assert "pair" not in sys.modules


@pytest.mark.parametrize(
    "word", ["no_such_module", "pair.no", "sys", "../nothing", "a b", "", " ", "a" * 5000]
)
def test_neither_path_nor_module(word: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="neither a file or folder nor a module"):
        find_target(word, cwd=tmp_path, search=[str(tmp_path)])
    assert packages_in(word, cwd=tmp_path) == [word]


def versions(*wanted: tuple[str, str, str]) -> tuple[Sym, ...]:
    return tuple(Sym(name=symbol, version=(library, version)) for library, version, symbol in wanted)


def test_why_tag_names_policy_version_symbol_and_object(tmp_path: Path) -> None:
    symbols = versions(
        ("libc.so.6", "GLIBC_2.34", "pthread_create"),
        ("libc.so.6", "GLIBC_2.17", "clock_gettime"),
        ("libstdc++.so.6", "GLIBCXX_3.4.29", "_ZSt4bar"),
    )
    data = module(needed=["libc.so.6", "libstdc++.so.6"], symbols=symbols)
    path = make_wheel(tmp_path, wheel_files({"pair/_core.so": data}), name=LINUX)
    why = why_tag(path, shown=path.name)
    assert str(why.lowest) == "manylinux_2_34"
    assert [(str(level), str(without)) for level, without in why.steps] == [
        ("manylinux_2_34", "manylinux_2_17"),
        ("manylinux_2_17", "manylinux_2_5"),
    ]
    text = "\n".join(line.text for line in why_tag_lines(why))
    for part in ("GLIBC_2.34", "pthread_create", "GLIBCXX_3.4.29", "in pair/_core.so"):
        assert part in text
    value = json.loads(json.dumps(why.to_json()))
    assert value["levels"][0]["policy"] == "manylinux_2_34"


def test_why_tag_beyond_every_policy(tmp_path: Path) -> None:
    data = module(
        needed=["libstdc++.so.6"], symbols=versions(("libstdc++.so.6", "GLIBCXX_3.4.34", "_ZSt3foo"))
    )
    path = make_wheel(
        tmp_path, wheel_files({"pair/_core.so": data}), name="pair-1.2-cp311-cp311-linux_x86_64.whl"
    )
    why = why_tag(path, shown=path.name)
    assert why.lowest is None
    assert "beyond every policy    (without what follows: manylinux_2_5)" in [
        line.text for line in why_tag_lines(why)
    ]


def test_why_tag_wants_a_wheel(tmp_path: Path) -> None:
    (tmp_path / "x.so").write_bytes(module())
    with pytest.raises(FormatError, match="it is no wheel"):
        why_tag(tmp_path / "x.so", shown="x.so")


def test_a_folder_of_packages_stands_for_them(tmp_path: Path) -> None:
    for name in (
        "wheels/a.whl",
        "conda/linux-64/b.conda",
        "conda/linux-64/repodata.json",
        "conda/noarch/x.json",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert packages_in(".", cwd=tmp_path) == ["conda/linux-64/b.conda", "wheels/a.whl"]
    assert packages_in(str(tmp_path / "wheels"), cwd=Path("/")) == [str(tmp_path / "wheels" / "a.whl")]
    assert packages_in("conda/noarch", cwd=tmp_path) == ["conda/noarch"]
    assert packages_in("wheels/a.whl", cwd=tmp_path) == ["wheels/a.whl"]
    assert packages_in("json", cwd=tmp_path) == ["json"]


@pytest.mark.parametrize(
    "name",
    ["a.whl.provenance.json", "repodata.json.zst", "run_exports.json", "channeldata.json", "SHA256SUMS"],
)
def test_what_tells_of_packages_is_none(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"{}")
    assert packages_in(name, cwd=tmp_path) == []


def test_a_folder_with_binaries_is_one_thing(tmp_path: Path) -> None:
    (tmp_path / "bundled.whl").write_bytes(b"")
    (tmp_path / "x.so").write_bytes(elf())
    assert packages_in(".", cwd=tmp_path) == ["."]
