"""From a cell and its host environment to the stage, the install tree that CMake leaves."""

from diptych.build.stage import Stage, compile_stage

__all__ = ["Stage", "compile_stage"]
