"""What the two packages of a cell cost their users, measured in clean environments."""

from diptych.cost.measure import CostJob, kept, measured
from diptych.cost.model import Benchmark, Cost, Costs, Shared

__all__ = ["Benchmark", "Cost", "CostJob", "Costs", "Shared", "kept", "measured"]
