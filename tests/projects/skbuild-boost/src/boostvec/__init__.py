"""A vector of two numbers."""

from ._vec import Vec

__all__ = ["Vec"]
