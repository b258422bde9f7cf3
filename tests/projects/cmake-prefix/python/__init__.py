"""Numbers to the base of four."""

from ._quaternary import digits

__all__ = ["digits"]
