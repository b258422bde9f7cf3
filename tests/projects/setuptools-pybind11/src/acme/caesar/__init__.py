"""The cipher of Caesar."""

from ._shift import shift

__all__ = ["shift"]
