"""What a loader brings in: the searches of glibc's ld.so and macOS's dyld, simulated.

>>> from diptych.closure import closure, this_machine
>>> closure("/bin/true", where=this_machine(environment={}, cwd="/")).paths  # doctest: +SKIP
('/lib/x86_64-linux-gnu/libc.so.6', '/lib64/ld-linux-x86-64.so.2')
"""

from diptych.closure.cache import read_cache
from diptych.closure.context import SearchContext, default_folders
from diptych.closure.files import Files, MappedFiles, RealFiles
from diptych.closure.host import hwcaps_of, platform_of, this_machine
from diptych.closure.model import Closure, Found, Loaded, Tried
from diptych.closure.resolve import closure

__all__ = [
    "Closure",
    "Files",
    "Found",
    "Loaded",
    "MappedFiles",
    "RealFiles",
    "SearchContext",
    "Tried",
    "closure",
    "default_folders",
    "hwcaps_of",
    "platform_of",
    "read_cache",
    "this_machine",
]
