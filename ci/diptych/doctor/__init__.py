"""``diptych doctor``: look at anything that is linked, and say what is wrong, why, and what to do."""

from diptych.doctor.examine import Report, examine
from diptych.doctor.gather import gather
from diptych.doctor.targets import Target, find_target

__all__ = ["Report", "Target", "examine", "find_target", "gather"]
