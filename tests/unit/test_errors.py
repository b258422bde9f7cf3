from __future__ import annotations

from pathlib import Path

import pytest

from diptych import errors
from diptych.errors import DiptychError, nearest
from diptych.output import Output, human_size, many


def kinds() -> list[type[DiptychError]]:
    return [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, DiptychError)]


def test_every_kind_has_an_exit_code_of_its_own() -> None:
    codes = [kind.exit_code for kind in kinds()]
    assert len(codes) == len(set(codes))
    # 0 is success, 2 is a usage error of invoke and nox.
    assert not {0, 2} & set(codes)


def test_the_exit_codes_are_documented(repository: Path) -> None:
    page = (repository / "docs" / "reference" / "exit-codes.md").read_text(encoding="utf-8")
    for kind in kinds():
        assert f"| {kind.exit_code} | `{kind.__name__}` |" in page


def test_an_error_is_shown_once_with_evidence_and_next_step(capsys: pytest.CaptureFixture[str]) -> None:
    error = DiptychError("it failed", details=["[evidence]"], hint="do this")
    Output(env={"GITHUB_ACTIONS": "true"}).error(error)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines()[:3] == ["error: it failed", "  [evidence]", "  → do this"]
    assert "::error::it failed" in shown.err


def test_steps_tell_what_was_done_and_what_was_kept(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(env={"NO_COLOR": "1"})
    with output.step("compile") as step:
        step.text = "[ok]"
    with output.step("wheel") as step:
        step.kept, step.more = True, ("a line of its own",)

    def failing() -> None:
        with output.step("conda"):
            raise DiptychError("no")

    with pytest.raises(DiptychError, match="no"):
        failing()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("  ✓ compile")
    assert lines[0].endswith("s  [ok]")
    assert lines[1].startswith("  · wheel")
    assert lines[2].index("a line of its own") == lines[0].index("[ok]")
    assert lines[3].startswith("  ✗ conda")
    assert lines[3].endswith("failed")
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_234_567, "1.2 MB"), (5 * 10**9, "5.0 GB")],
)
def test_sizes_are_written_for_people(count: int, text: str) -> None:
    assert human_size(count) == text


def test_the_nearest_name_is_offered() -> None:
    assert nearest("compilr", ["compiler", "python"]) == '; did you mean "compiler"?'
    assert nearest("zzz", ["compiler"]) == ""


def test_numbers_of_things_are_written_for_people() -> None:
    assert [many(0, "file"), many(1, "file"), many(2, "file")] == ["0 files", "1 file", "2 files"]
    assert many(3, "library", "libraries") == "3 libraries"
