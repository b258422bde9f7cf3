import cmeelday


def test_known_day() -> None:
    assert cmeelday.weekday(1969, 7, 20) == 0
