"""Conda recipes: conda-build's meta.yaml in the form that rattler-build takes, and the conditions in both."""
