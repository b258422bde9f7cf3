"""Values between limits."""

from ._clamp import clamp

__all__ = ["clamp"]
