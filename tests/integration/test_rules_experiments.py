"""The experiments of make_linkage_fixtures.py: what doctor says, beside what auditwheel says of the same file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from diptych.doctor import gather
from diptych.process import Completed, run
from diptych.rules import Finding, Severity, all_rules, judge
from helpers.needs import needs, needs_linux
from integration import make_linkage_fixtures as make

pytestmark = [
    needs_linux("auditwheel"),
    needs("g++", package="g++"),
]
TOOLS = Path(sys.executable).parent


def doctor(path: Path) -> dict[str, Finding]:
    judged = judge(gather(path, shown=path.name, host=None), all_rules())
    return {finding.code: finding for finding in judged.findings}


def command(*words: str | Path, cwd: Path, **variables: str) -> Completed:
    paths = f"{TOOLS}{os.pathsep}{os.environ['PATH']}"  # noqa: TID251 -- a test is a surface
    env = {**os.environ, "PATH": paths, **variables}  # noqa: TID251 -- as above
    return run(words, env=env, cwd=cwd, check=False)


def auditwheel(*words: str | Path, libraries: Path) -> Completed:
    found = {"AUDITWHEEL_LD_LIBRARY_PATH": str(libraries)}
    return command(sys.executable, "-m", "auditwheel", *words, cwd=libraries, **found)


def repaired(path: Path, out: Path) -> Path:
    done = auditwheel("repair", path, "-w", out, libraries=path.parent)
    assert done.returncode == 0, done.output
    (found,) = out.glob("*.whl")
    return found


def test_x1_free_threaded_libpython(tmp_path: Path) -> None:
    path = make.x1(tmp_path)
    assert "DIP101" in doctor(path)
    after = repaired(path, tmp_path / "out")
    assert "manylinux" in after.name, "auditwheel finds nothing wrong"
    found = doctor(after)
    assert {"DIP101", "DIP102"} <= set(found)
    assert "libpython3" in found["DIP102"].message


def test_x1_ordinary_libpython(tmp_path: Path) -> None:
    path = make.x1(tmp_path, "3.11")
    assert "DIP101" in doctor(path)
    found = doctor(repaired(path, tmp_path / "out"))
    assert "DIP101" not in found, "auditwheel drops this one"
    assert "DIP305" in found, "but leaves a run path to a folder that is not there"


def test_x2_absolute_run_path_survives_repair(tmp_path: Path) -> None:
    path = make.x2(tmp_path)
    for wheel in (path, repaired(path, tmp_path / "out")):
        finding = doctor(wheel)["DIP301"]
        assert "/opt/conda/envs/build/lib" in finding.message
        assert finding.severity is Severity.ERROR


def test_x3_module_for_another_python(tmp_path: Path) -> None:
    path = make.x3(tmp_path)
    show = auditwheel("show", path, libraries=tmp_path)
    assert show.returncode == 0
    assert "314" not in show.output, "auditwheel does not compare"
    assert doctor(path)["DIP104"].message == "for Python 3.14, in a wheel for 3.11"
    assert "DIP104" in doctor(repaired(path, tmp_path / "out"))


@pytest.mark.parametrize("hidden", [False, True])
def test_x4_interpreter_absorbed(tmp_path: Path, *, hidden: bool) -> None:
    path = make.x4(tmp_path, hidden=hidden)
    assert "DIP103" in doctor(path)
    after = repaired(path, tmp_path / "out")
    assert "manylinux" in after.name, "auditwheel finds nothing wrong"
    assert "DIP103" in doctor(after)


def test_x6_beyond_every_policy(tmp_path: Path) -> None:
    path = make.x6(tmp_path)
    finding = doctor(path)["DIP402"]
    assert "GLIBCXX_3.4.34" in finding.message
    assert any("newest" in line for line in finding.evidence), "the symbol is named"
    done = auditwheel(
        "repair", path, "-w", tmp_path / "out", "--plat", "manylinux_2_39_x86_64", libraries=tmp_path
    )
    assert done.returncode != 0
    assert "too-recent versioned symbols" in done.output
    assert "newest" not in done.output, "auditwheel names neither symbol nor object"


def test_unused_library_is_grafted_and_counted(tmp_path: Path) -> None:
    path = make.unused(tmp_path)
    after = repaired(path, tmp_path / "out")
    finding = doctor(after)["DIP503"]
    assert "libgraph.so.1 is needed, but no symbol of it is used" in finding.message
    assert "carried for nothing" in finding.message


def test_static_registries(tmp_path: Path) -> None:
    assert "DIP203" in doctor(make.boost_split(tmp_path))


def test_static_runtime_is_told_from_ordinary_templates(tmp_path: Path) -> None:
    path = make.static_runtime(tmp_path)
    found = doctor(path)["DIP705"]
    assert (found.place, found.severity) == ("lib/_a.cpython-311-x86_64-linux-gnu.so", Severity.DRIFT)
    assert "DIP705" in doctor(repaired(path, tmp_path / "out")), "auditwheel finds nothing wrong"
    assert "DIP705" not in doctor(make.static_runtime(tmp_path / "kept", "-Wl,--exclude-libs,ALL"))


HIDDEN = ("-static-libstdc++", "-static-libgcc", "-Wl,--exclude-libs,ALL")


@pytest.mark.parametrize(
    ("flags", "survives"),
    [((), True), (HIDDEN, False), ((*HIDDEN, "-s"), False)],
    ids=["shared", "hidden", "stripped"],
)
def test_a_hidden_runtime_beside_the_systems_ends_the_process(
    flags: tuple[str, ...], tmp_path: Path, *, survives: bool
) -> None:
    path = make.hidden_runtime(tmp_path, *flags)
    call = f"import ctypes; print(ctypes.CDLL({str(path.parent / '_core.so')!r}).PyInit__core())"
    done = command(sys.executable, "-c", call, cwd=tmp_path)
    assert (done.returncode == 0) is survives, done.output
    found = doctor(path)
    if survives:
        assert "7" in done.output
        assert "DIP709" not in found
        return
    assert "terminate called without an active exception" in done.output
    assert "DIP705" not in found
    assert found["DIP709"].place == "lib/_core.cpython-311-x86_64-linux-gnu.so"
    assert found["DIP709"].evidence == ("lib/libpot.so.1: needs libstdc++.so.6",)
    shown = auditwheel("show", path, libraries=path.parent)
    assert shown.returncode == 0, "auditwheel finds nothing wrong"


def test_a_hidden_runtime_in_both_is_two(tmp_path: Path) -> None:
    found = doctor(make.hidden_runtime(tmp_path, *HIDDEN, both=True))[
        "DIP709"
    ]  # the last of two, one a binary
    assert found.place == "lib/libpot.so.1"
    assert found.evidence == ("lib/_core.cpython-311-x86_64-linux-gnu.so: has one of its own inside",)


def test_a_hidden_runtime_alone_harms_nobody(tmp_path: Path) -> None:
    assert "DIP709" not in doctor(make.static_runtime(tmp_path, "-Wl,--exclude-libs,ALL"))


@pytest.mark.parametrize("module_abi", [0, 1])
def test_the_other_std_string(module_abi: int, tmp_path: Path) -> None:
    path = make.other_string(tmp_path, module_abi=module_abi)
    found = doctor(path)["DIP310"]
    assert found.severity is Severity.ERROR
    assert any("lib/libpot.so.1 has _ZN3pot4name" in line for line in found.evidence), "the twin is named"
    assert "DIP310" in doctor(repaired(path, tmp_path / "out")), "auditwheel finds nothing wrong"


@pytest.mark.parametrize("name", ["x3", "x2"])
def test_a_log_and_the_wheel_that_proves_it(name: str, tmp_path: Path) -> None:
    path = make.ALL[name](tmp_path)
    (tmp_path / "build.log").write_text("ImportError: No module named 'lib._core'\n", encoding="utf-8")
    from_file = command("diptych", "doctor", path, "--log", "build.log", cwd=tmp_path)
    from_pipe = command("sh", "-c", f"diptych doctor {path} --log - < build.log", cwd=tmp_path)
    assert from_file.output == from_pipe.output
    assert from_file.returncode == 1
    assert "LOG103" in from_file.output
    assert ("proof: DIP104" in from_file.output) is (name == "x3")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--select", "DIP104"], 1),
        (["--ignore", "DIP104,DIP403"], 0),
        (["--fail-on", "never"], 0),
        (["--fail-on", "errors"], 3),
        (["--select", "DIP999"], 3),
    ],
)
def test_exit_codes(options: list[str], code: int, tmp_path: Path) -> None:
    """In a folder without a [tool.diptych] table."""
    done = command("diptych", "doctor", make.x3(tmp_path), *options, cwd=tmp_path)
    assert done.returncode == code, done.output
