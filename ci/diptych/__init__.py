"""Build a C++ Python extension once, ship it as a wheel and a conda package, and prove them equal."""

__version__ = "0.1.0"
