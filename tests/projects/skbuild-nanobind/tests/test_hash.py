from nanohash import fnv1a


def test_known_values() -> None:  # draft-eastlake-fnv, appendix C
    assert fnv1a(b"") == 0xCBF29CE484222325
    assert fnv1a(b"a") == 0xAF63DC4C8601EC8C
