from planted._core import count, element, half, power

__all__ = ["count", "element", "half", "power"]
