"""The tasks of this repository: Diptych's own collection."""

from diptych.tasks import namespace

__all__ = ["namespace"]
