"""Fractions in lowest terms."""

from _gcd import gcd


def lowest(numerator: int, denominator: int) -> tuple[int, int]:
    """Return the fraction in lowest terms."""
    common = gcd(numerator, denominator)
    return numerator // common, denominator // common
