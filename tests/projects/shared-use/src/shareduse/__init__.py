from shareduse._use import length

__all__ = ["length"]
