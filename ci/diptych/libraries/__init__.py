"""C++ libraries that a cell's own compiler compiles, as packages of a conda channel of its own.

:func:`ensure` makes the channel of one compiler hold what a request needs, :func:`planned` says whether a request needs any of it.
"""

from diptych.libraries.channel import Compiled, Request, ensure, is_compiled, names_in, state
from diptych.libraries.plan import Plan, asks, planned

__all__ = ["Compiled", "Plan", "Request", "asks", "ensure", "is_compiled", "names_in", "planned", "state"]
