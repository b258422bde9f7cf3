"""All rules, in order of their codes."""

from __future__ import annotations

from diptych.errors import ConfigError, nearest
from diptych.rules import (
    binding_layers,
    conda_container,
    exported,
    limited_api,
    loadability,
    machines,
    macho,
    macho_loading,
    module_entry,
    packaging,
    platform_tags,
    python_linkage,
    python_tags,
    resolution,
    runtimes,
    search_paths,
    segments,
    unbound,
    wheel_container,
    wheel_metadata,
)
from diptych.rules.model import REGISTRY, Rule

GROUPS = (
    python_linkage,
    python_tags,
    limited_api,
    binding_layers,
    search_paths,
    resolution,
    unbound,
    platform_tags,
    segments,
    packaging,
    macho,
    runtimes,
    module_entry,
    loadability,
    machines,
    macho_loading,
    exported,
    wheel_container,
    wheel_metadata,
    conda_container,
)
"""The modules that hold rules: importing one registers what it has."""


def all_rules() -> tuple[Rule, ...]:
    """Return every rule, in order of codes."""
    return tuple(rule for _, rule in sorted(REGISTRY.items()))


def rule_named(code: str) -> Rule:
    """Return one rule.

    Raises:
        ConfigError: there is none of that code.
    """
    found = REGISTRY.get(code.upper())
    if found is None:
        raise ConfigError(
            f'"{code}" is no rule{nearest(code.upper(), REGISTRY)}', hint="diptych explain lists all rules"
        )
    return found
