import sharedpoint


def test_a_point_has_two_numbers() -> None:
    point = sharedpoint.Point()
    point.x, point.y = 3, 4
    assert (point.x, point.y) == (3, 4)
