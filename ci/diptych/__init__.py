"""Build a C++ Python extension once, ship it as a wheel and a conda package, and prove them equal."""

__version__ = "0.1.0"

DOCUMENTATION = "https://diptych.example/docs"
"""Where the site of docs/ is; pyproject.toml says the same."""
