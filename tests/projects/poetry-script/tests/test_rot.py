from rot13script import rot13


def test_twice() -> None:
    assert rot13("Hello") == "Uryyb"
    assert rot13(rot13("Hello")) == "Hello"
