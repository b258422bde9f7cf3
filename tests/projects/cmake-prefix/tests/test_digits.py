from quaternary import digits


def test_digits() -> None:
    assert digits(0) == "0"
    assert digits(27) == "123"
