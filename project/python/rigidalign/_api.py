"""The functions of the package: defaults, types and documentation. The work is done in `_core`."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from operator import index

import numpy as np
import numpy.typing as npt

from rigidalign import _core
from rigidalign._core import InvalidInputError, Transform

_MAX_COUNT = 2**31 - 1  # the largest C++ int


@dataclass(frozen=True, slots=True, eq=False)
class IcpResult:
    """The outcome of `icp`."""

    transform: Transform
    """Takes source onto target."""
    rms: float
    """Root mean square distance of the corresponding points under `transform`."""
    iterations: int
    """Number of fits made."""
    converged: bool
    """Whether the pairs or their distance had stopped changing, rather than the iterations run out."""
    correspondences: npt.NDArray[np.int64]
    """For each source point the index of its target point, -1 where none is within `max_distance`.
    Read-only."""


def umeyama(source: npt.ArrayLike, target: npt.ArrayLike, scaling: bool = False) -> Transform:
    """The transform that takes `source[i]` closest to `target[i]`, in closed form.

    Least squares after Umeyama (1991), doi:10.1109/34.88573. The rotation is always proper, even where a
    reflection would fit better. If the points are collinear, rotations about their line leave the residual
    the same: the best transform is not unique and one of the best is returned.

    Args:
        source: At least 3 points, shape (N, 3). Real numbers of any dtype; not all the same point.
        target: As many points, with the same demands.
        scaling: Seek the best scale too. Otherwise it is 1.

    Raises:
        InvalidInputError: An argument has an unusable dtype, shape or value.
        DegenerateInputError: All points coincide, or (with `scaling`) the best scale is zero.
    """
    return _core.umeyama(source, target, _flag("scaling", scaling))


def icp(
    source: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    initial: Transform | npt.ArrayLike | None = None,
    max_iterations: int = 50,
    tolerance: float = 1e-8,
    max_distance: float | None = None,
    scaling: bool = False,
) -> IcpResult:
    """Align `source` with `target`, whose points need not correspond: point-to-point ICP.

    Pairs each source point with its nearest target point, fits the pairs with `umeyama`, and repeats
    (Besl and McKay 1992, doi:10.1109/34.121791). Finds a local optimum: start close enough.

    Args:
        source: At least 3 points, shape (N, 3).
        target: At least 3 points, shape (M, 3).
        initial: Where to start: a transform or its matrix; the identity if None.
        max_iterations: Stop after that many fits, converged or not.
        tolerance: Converged once the RMS distance changes by no more than this, in units of the RMS
            distance of the target points from their centroid. Unchanged pairs are convergence in any case.
        max_distance: Leave out pairs that are farther apart.
        scaling: Seek the best scale too. Shrinking brings points together, so this needs a good start.

    Raises:
        InvalidInputError: An argument has an unusable dtype, shape or value.
        DegenerateInputError: All points of one side coincide, or the best scale is zero.
        CorrespondenceError: `max_distance` leaves fewer than 3 pairs.
    """
    start = initial if isinstance(initial, Transform) else Transform(initial)
    transform, rms, iterations, converged, correspondences = _core.icp(
        source,
        target,
        start,
        _count("max_iterations", max_iterations),
        _real("tolerance", tolerance),
        None if max_distance is None else _real("max_distance", max_distance),
        _flag("scaling", scaling),
    )
    correspondences.flags.writeable = False
    return IcpResult(transform, rms, iterations, converged, correspondences)


def nearest(
    points: npt.ArrayLike, queries: npt.ArrayLike
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """For each query the index of the nearest point, and the distance to it.

    Of equally near points the lowest index is returned.

    Args:
        points: At least one point, shape (N, 3).
        queries: At least one point, shape (M, 3).

    Returns:
        Indices and distances, both of shape (M,).

    Raises:
        InvalidInputError: An argument has an unusable dtype, shape or value.
    """
    return _core.nearest(points, queries)


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}: expected a bool, got {value!r}")
    return bool(value)


def _real(name: str, value: object) -> float:
    if not isinstance(value, Real):
        raise TypeError(f"{name}: expected a real number, got {value!r}")
    try:
        return float(value)
    except OverflowError:
        raise InvalidInputError(f"{name}: expected a number in the range of float, got {value!r}") from None


def _count(name: str, value: object) -> int:
    try:
        count = index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name}: expected an integer, got {value!r}") from None
    if not 1 <= count <= _MAX_COUNT:
        raise InvalidInputError(f"{name}: expected an integer from 1 to {_MAX_COUNT}, got {count}")
    return count
