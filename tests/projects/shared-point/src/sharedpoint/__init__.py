from sharedpoint._point import Point

__all__ = ["Point"]
