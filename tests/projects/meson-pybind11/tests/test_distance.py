import levenmeson


def test_distance() -> None:
    assert levenmeson.distance("kitten", "sitting") == 3
