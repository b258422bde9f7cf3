import rustsum


def test_sum():
    assert rustsum.lib.triangular(4) == 10
