from fractional import lowest


def test_lowest() -> None:
    assert lowest(21, 14) == (3, 2)
