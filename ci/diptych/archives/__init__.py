"""Wheels, conda packages, folders, environments and files, all as one :class:`Package` to look into.

Nothing is unpacked to disk, and whatever is damaged or hostile is a FormatError that names archive, member and cause.

>>> with open_package(path) as package:                                    # doctest: +SKIP
...     for member, content in package.walk(package.is_payload):
...         ...
"""

from diptych.archives.limits import Limits
from diptych.archives.member import Member
from diptych.archives.metadata import Metadata
from diptych.archives.opening import open_package
from diptych.archives.package import Package, PackageKind
from diptych.archives.record import Mismatch, RecordCheck, metadata_against_name, same_version, verify_record
from diptych.archives.unpacking import unpack

__all__ = [
    "Limits",
    "Member",
    "Metadata",
    "Mismatch",
    "Package",
    "PackageKind",
    "RecordCheck",
    "metadata_against_name",
    "open_package",
    "same_version",
    "unpack",
    "verify_record",
]
