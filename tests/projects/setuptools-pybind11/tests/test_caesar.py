from acme.caesar import shift


def test_there_and_back() -> None:
    assert shift("attack", 3) == "dwwdfn"
    assert shift(shift("attack", 3), -3) == "attack"
