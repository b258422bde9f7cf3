"""Cumulative sums."""

from ._sums import cumulative

__all__ = ["cumulative"]
