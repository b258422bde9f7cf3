"""Change load commands, never code. First a frozen plan per file, then one tool call per file."""

from diptych.relink.apply import Journal, relink_tree
from diptych.relink.plan import FilePlan, TreePlan

__all__ = ["FilePlan", "Journal", "TreePlan", "relink_tree"]
