"""The distance of Levenshtein."""

from ._distance import distance

__all__ = ["distance"]
