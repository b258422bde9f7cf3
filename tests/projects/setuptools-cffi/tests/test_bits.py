import popcounts
import pytest


@pytest.mark.parametrize("value", [0, 1, 255, 2**64 - 1])
def test_as_python(value: int) -> None:
    assert popcounts.popcount(value) == value.bit_count()
