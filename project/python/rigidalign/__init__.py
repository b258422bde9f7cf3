"""Alignment of 3-D point sets: closed-form least squares and iterative closest point."""

from rigidalign._api import IcpResult, icp, nearest, umeyama
from rigidalign._core import (
    AlignmentError,
    CorrespondenceError,
    DegenerateInputError,
    InvalidInputError,
    Transform,
    __version__,
)

__all__ = [
    "AlignmentError",
    "CorrespondenceError",
    "DegenerateInputError",
    "IcpResult",
    "InvalidInputError",
    "Transform",
    "__version__",
    "icp",
    "nearest",
    "umeyama",
]
