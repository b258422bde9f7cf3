"""The local channel: a conda channel made from the machine's interpreters and PyPI's wheels.

:func:`ensure` makes it hold what a request needs; :func:`choose` says whether a run needs it at all.
"""

from diptych.channel.index import added
from diptych.channel.local import ChannelPackage, LocalChannel, ensure
from diptych.channel.manage import Row, add, listing, rebuild
from diptych.channel.names import BOOST
from diptych.channel.pypi import NoWheelError
from diptych.channel.reach import LOCAL, ChannelChoice, choose, reachable, url_of
from diptych.channel.serve import serve

__all__ = [
    "BOOST",
    "LOCAL",
    "ChannelChoice",
    "ChannelPackage",
    "LocalChannel",
    "NoWheelError",
    "Row",
    "add",
    "added",
    "choose",
    "ensure",
    "listing",
    "reachable",
    "rebuild",
    "serve",
    "url_of",
]
