from seeded import Generator


def test_first_numbers() -> None:
    generator = Generator(1)
    assert [generator.next() for _ in range(2)] == [270369, 67634689]
