"""Text that does not fit its column goes on below: nothing is lost, breaks are where a reader expects them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.compare.linewrap import wrapped

WHEEL = "rigidalign-0.1.0-cp311-cp311-manylinux_2_34_x86_64.whl"


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("short", 10, ["short"]),
        ("", 10, [""]),
        (WHEEL, 32, ["rigidalign-0.1.0-cp311-cp311-", "  manylinux_2_34_x86_64.whl"]),
        (
            "libboost_python311.so.1.90.0 418.0 kB",
            32,
            ["libboost_python311.so.1.90.0", "  418.0 kB"],
        ),
        ("  indented words go on", 14, ["  indented", "    words go", "    on"]),
        ("x" * 20, 10, ["x" * 8, "  " + "x" * 8, "  " + "x" * 4]),
    ],
)
def test_lines_break_at_blanks_then_at_joints(text: str, width: int, lines: list[str]) -> None:
    assert wrapped(text, width) == lines


@given(st.text(alphabet="ab-_/.,= ", max_size=120), st.integers(10, 40))
def test_nothing_is_lost_and_everything_fits(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    lead = len(text) - len(text.lstrip(" "))
    assert all(len(line.rstrip()) <= max(width, lead + 10) for line in lines)
