"""The nox sessions. A noxfile needs two lines: import :func:`define`, call it with ``__file__``."""

from diptych.sessions.define import define

__all__ = ["define"]
