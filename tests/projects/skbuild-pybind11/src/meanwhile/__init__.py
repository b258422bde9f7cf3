"""Running means."""

from ._core import running_mean

__all__ = ["running_mean"]
