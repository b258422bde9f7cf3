"""Floor 4: lay the wheel and the conda package of one build side by side."""

from diptych.compare.cell import Comparison, compare_cell
from diptych.compare.panel import Panel, PanelBinary

__all__ = ["Comparison", "Panel", "PanelBinary", "compare_cell"]
