"""Annotations of GitHub Actions, and where compilers say that an error is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from diptych.annotations import Place, annotation
from diptych.build.firsterror import error_place
from diptych.errors import CompileError
from diptych.output import Output

ROOT = Path("/checkout")


def test_an_annotation_names_file_line_and_title() -> None:
    place = Place(file=ROOT / "src" / "a,b.cpp", line=7)
    text = annotation("error", "100 %\nof it: gone", title="DIP101: x", place=place, root=ROOT)
    assert text == "::error title=DIP101%3A x,file=src/a%2Cb.cpp,line=7::100 %25%0Aof it: gone"
    assert annotation("warning", "plain", root=ROOT) == "::warning::plain"
    outside = annotation("notice", "m", place=Place(file=Path("/usr/x.h")), root=ROOT)
    assert outside == "::notice file=/usr/x.h::m"


def test_an_error_is_annotated_on_github_alone(capsys: pytest.CaptureFixture[str]) -> None:
    error = CompileError("no", details=["why"], hint="next", place=Place(file=ROOT / "a.cpp", line=3))
    Output(env={"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(ROOT)}).error(error)
    assert "::error file=a.cpp,line=3::no%0Awhy%0Anext" in capsys.readouterr().err.splitlines()
    Output(env={}).error(error)
    assert "::error" not in capsys.readouterr().err


def test_the_steps_of_a_job_are_its_summary(tmp_path: Path) -> None:
    file = tmp_path / "summary.md"
    file.write_text("of another step\n", encoding="utf-8")
    output = Output(env={"GITHUB_STEP_SUMMARY": str(file)})
    with output.step("compile") as step:
        step.text = "a|b, 12 of 24 objects from the cache"
    with pytest.raises(CompileError), output.step("wheel"):
        raise CompileError("no")
    output.summarise_steps("3.11-gcc")
    first, title, _, _, _, made, failed, *_ = file.read_text(encoding="utf-8").splitlines()
    assert (first, title) == ("of another step", "## 3.11-gcc")
    assert re.fullmatch(r"\| . \| compile \| 0\.\d\d \| a\\\|b, 12 of 24 objects from the cache \|", made)
    assert re.fullmatch(r"\| . \| wheel \| 0\.\d\d \| failed \|", failed)
    Output(env={}).summarise_steps("nowhere")


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("/src/core/a.cpp:12:3: error: expected", Place(file=Path("/src/core/a.cpp"), line=12)),
        ("/src/core/a.hpp:1:10: fatal error: x.h: No such file", Place(file=Path("/src/core/a.hpp"), line=1)),
        ("CMake Error at CMakeLists.txt:22 (find_package):", Place(file=ROOT / "CMakeLists.txt", line=22)),
        ("a.cpp:(.text+0x1f): undefined reference to `f()'", None),
        ("ninja: error: unknown target", None),
    ],
)
def test_the_place_of_a_first_error(line: str, place: Place | None) -> None:
    assert error_place(["[1/2] Building", line, "note"], source=ROOT) == place
