"""The FNV-1a hash."""

from ._hash import fnv1a

__all__ = ["fnv1a"]
