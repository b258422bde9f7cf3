"""Random numbers."""

from ._seeded import Generator

__all__ = ["Generator"]
