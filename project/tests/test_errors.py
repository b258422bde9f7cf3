"""Unusable input: a clear exception that names the argument, never a crash."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import rigidalign
from rigidalign import (
    AlignmentError,
    CorrespondenceError,
    DegenerateInputError,
    InvalidInputError,
    Transform,
)

GOOD = np.arange(12.0).reshape(4, 3) ** 2

UNUSABLE = [
    pytest.param(np.zeros((4, 2)), r"expected an array of shape \(N, 3\).*got shape \(4, 2\)", id="width"),
    pytest.param(np.zeros((1, 4, 3)), r"got shape \(1, 4, 3\)", id="dimensions"),
    pytest.param(np.float64(1.0), r"got shape \(\)", id="scalar"),
    pytest.param([], r"got shape \(0,\)", id="empty list"),
    pytest.param(np.zeros((0, 3)), r"expected at least \d points?, got 0", id="empty"),
    pytest.param(GOOD + 1j, "expected an array of real numbers, got dtype complex128", id="complex"),
    pytest.param(GOOD.astype(object), "got dtype object", id="object"),
    pytest.param(GOOD.astype(str), "got dtype <U", id="string array"),
    pytest.param(GOOD > 1, "got dtype bool", id="bool"),
    pytest.param("points", "got dtype <U6 .from a str", id="string"),
    pytest.param(None, "got dtype object .from a NoneType", id="None"),
    pytest.param([[1.0, 2.0, 3.0], [1.0]], "got a ragged list", id="ragged"),
    pytest.param(np.where(GOOD == 16, np.nan, GOOD), "finite coordinates, got nan in row 1", id="nan"),
    pytest.param(np.where(GOOD == 0, -np.inf, GOOD), "finite coordinates, got -inf in row 0", id="inf"),
    pytest.param(GOOD * 1e200, "at most 1e.100", id="huge"),
]


@pytest.mark.parametrize(("bad", "message"), UNUSABLE)
class TestUnusablePoints:
    @pytest.mark.parametrize("function", [rigidalign.umeyama, rigidalign.icp], ids=["umeyama", "icp"])
    def test_unusable_source_and_target(self, function, bad, message):
        with pytest.raises(InvalidInputError, match="^source: .*" + message):
            function(bad, GOOD)
        with pytest.raises(InvalidInputError, match="^target: .*" + message):
            function(GOOD, bad)

    def test_unusable_points_and_queries_of_nearest(self, bad, message):
        with pytest.raises(InvalidInputError, match="^points: .*" + message):
            rigidalign.nearest(bad, GOOD)
        with pytest.raises(InvalidInputError, match="^queries: .*" + message):
            rigidalign.nearest(GOOD, bad)


@pytest.mark.parametrize("bad", [pytest.param(p.values[0], id=p.id) for p in UNUSABLE])
def test_unusable_points_of_apply(bad):
    with pytest.raises(InvalidInputError, match="^points: "):
        Transform().apply(bad)


@pytest.mark.parametrize("function", [rigidalign.umeyama, rigidalign.icp], ids=["umeyama", "icp"])
class TestDegeneratePoints:
    def test_too_few(self, function):
        with pytest.raises(InvalidInputError, match="^source: expected at least 3 points, got 2$"):
            function(GOOD[:2], GOOD[:2])

    @pytest.mark.parametrize("offset", [0.0, 0.1, 12345.6])
    def test_coincident(self, function, offset):
        coincident = np.full((4, 3), offset)
        with pytest.raises(DegenerateInputError, match="^source: .*4 points that all coincide"):
            function(coincident, GOOD)
        with pytest.raises(DegenerateInputError, match="^target: .*4 points that all coincide"):
            function(GOOD, coincident)


def test_umeyama_needs_as_many_targets():
    with pytest.raises(InvalidInputError, match=r"^target: expected as many .* \(4\), got 3$"):
        rigidalign.umeyama(GOOD, GOOD[:3])


def test_umeyama_refuses_a_best_scale_of_zero():
    square = np.array([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]])
    other = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [-1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]])
    with pytest.raises(DegenerateInputError, match="best scale is zero"):
        rigidalign.umeyama(square, other, scaling=True)
    assert rigidalign.umeyama(square, other).scale == 1.0


@pytest.mark.parametrize(
    ("option", "error", "message"),
    [
        ({"max_iterations": 0}, ValueError, "max_iterations: expected an integer from 1"),
        ({"max_iterations": 10**30}, ValueError, "max_iterations"),
        ({"max_iterations": 2.0}, TypeError, "max_iterations: expected an integer, got 2.0"),
        ({"tolerance": -1e-9}, ValueError, "tolerance: expected a finite number"),
        ({"tolerance": float("nan")}, ValueError, "tolerance"),
        ({"tolerance": 10**400}, ValueError, "tolerance: expected a number in the range"),
        ({"tolerance": "small"}, TypeError, "tolerance: expected a real number, got 'small'"),
        ({"max_distance": 0}, ValueError, "max_distance: expected a positive number, got 0"),
        ({"max_distance": float("nan")}, ValueError, "max_distance"),
        ({"scaling": "no"}, TypeError, "scaling: expected a bool, got 'no'"),
        ({"initial": np.eye(3)}, ValueError, r"expected an array of shape \(4, 4\)"),
        ({"initial": np.diag([1e150, 1e150, 1e150, 1.0])}, ValueError, "^source under initial: "),
    ],
)
def test_icp_refuses_unusable_options(option, error, message):
    with pytest.raises(error, match=message):
        rigidalign.icp(GOOD, GOOD, **option)


def test_icp_without_pairs_within_max_distance():
    with pytest.raises(CorrespondenceError, match="max_distance: expected .* at least 3 pairs, got 0.5"):
        rigidalign.icp(GOOD, GOOD + 1000.0, max_distance=0.5)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.diag([1.0, 1.0, -1.0, 1.0]), "reflection"),
        (np.diag([1.0, 1.0, 0.0, 1.0]), "singular"),
        (np.zeros((4, 4)), r"last row of \[0, 0, 0, 1\], got \[0, 0, 0, 0\]"),
        (np.diag([1.0, 2.0, 1.0, 1.0]), "not orthogonal and of one length"),
        (np.eye(4) + np.eye(4, k=1), "not orthogonal|last row"),
        (np.full((4, 4), np.nan), "last row|finite"),
        (np.diag([np.inf, 1.0, 1.0, 1.0]), "finite elements"),
        (np.eye(3), r"shape \(4, 4\), got shape \(3, 3\)"),
        (np.eye(4) * 1j, "got dtype complex128"),
        ("identity", "got dtype <U8"),
    ],
)
def test_transform_refuses_what_is_no_similarity(matrix, message):
    with pytest.raises(InvalidInputError, match="^matrix: .*(" + message + ")"):
        Transform(matrix)


def test_uninitialised_transform_does_not_crash():
    empty = Transform.__new__(Transform)
    with pytest.raises(TypeError):
        empty.apply(GOOD)
    with pytest.raises(TypeError):
        _ = empty.matrix


def test_exceptions_of_the_extension():
    for kind in (InvalidInputError, DegenerateInputError, CorrespondenceError):
        assert issubclass(kind, AlignmentError)
        assert issubclass(kind, ValueError)
        assert kind.__module__ == "rigidalign"
        assert pickle.loads(pickle.dumps(kind("text"))).args == ("text",)
