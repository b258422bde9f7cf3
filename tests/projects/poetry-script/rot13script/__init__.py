"""ROT13."""

from ._rot import rot13

__all__ = ["rot13"]
