from clamped import clamp


def test_clamp() -> None:
    assert [clamp(value, 0, 1) for value in (-1, 0.5, 2)] == [0, 0.5, 1]
