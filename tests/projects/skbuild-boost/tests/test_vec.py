from boostvec import Vec


def test_norm() -> None:
    assert (Vec(1, 2) + Vec(2, 2)).norm() == 5
