from primehook import primes_below


def test_primes() -> None:
    assert primes_below(20) == [2, 3, 5, 7, 11, 13, 17, 19]
    assert primes_below(-1) == []
