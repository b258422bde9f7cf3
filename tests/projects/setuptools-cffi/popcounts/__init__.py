"""Counts of set bits."""

from ._bits import lib


def popcount(value: int) -> int:
    """Return how many bits are set."""
    return lib.popcount(value)
