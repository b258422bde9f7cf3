"""Platform tags and the promises behind them: which symbol version and which library each policy admits.

>>> from diptych.policy import manylinux
>>> str(manylinux().lowest("GLIBCXX_3.4.29", "x86_64"))
'manylinux_2_34'
>>> manylinux().lowest("GLIBCXX_3.4.34", "x86_64") is None
True
"""

from diptych.policy.bundled import bundled_libraries
from diptych.policy.cxx_runtimes import cxx_runtimes
from diptych.policy.forecast import Forecast, forecast
from diptych.policy.glibc_names import glibc_names
from diptych.policy.macos_symbols import NewInMacOS, new_in_macos
from diptych.policy.stable_abi import outside_stable_abi
from diptych.policy.tables import Family, Level, manylinux, musllinux, table_of
from diptych.policy.tags import PlatformTag, platform_tag

__all__ = [
    "Family",
    "Forecast",
    "Level",
    "NewInMacOS",
    "PlatformTag",
    "bundled_libraries",
    "cxx_runtimes",
    "forecast",
    "glibc_names",
    "manylinux",
    "musllinux",
    "new_in_macos",
    "outside_stable_abi",
    "platform_tag",
    "table_of",
]
