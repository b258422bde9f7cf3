"""Nearest neighbours from the k-d tree, against looking at every pair."""

from __future__ import annotations

import numpy as np
import pytest

import reference as ref
import rigidalign


@pytest.mark.parametrize("count", [1, 2, 11, 12, 13, 500])
def test_nearest_equals_brute_force(rng, count):
    points, queries = rng.normal(size=(count, 3)), 1.5 * rng.normal(size=(200, 3))
    indices, distances = rigidalign.nearest(points, queries)
    expected_indices, expected_distances = ref.nearest(points, queries)
    assert indices.dtype == np.int64
    np.testing.assert_array_equal(indices, expected_indices)
    np.testing.assert_allclose(distances, expected_distances, rtol=1e-14)


def test_nearest_breaks_ties_by_the_lowest_index(rng):
    # A coarse grid, shuffled and with every point twice: ties everywhere, and exact arithmetic.
    axis = np.arange(6.0)
    grid = np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(-1, 3)
    points = rng.permutation(np.concatenate([grid, grid]))
    queries = rng.integers(-2, 14, size=(400, 3)) / 2.0
    np.testing.assert_array_equal(rigidalign.nearest(points, queries)[0], ref.nearest(points, queries)[0])


def test_nearest_among_many_copies_of_one_point():
    indices, distances = rigidalign.nearest(np.ones((5000, 3)), [[1.0, 1.0, 3.0]])
    assert indices.tolist() == [0]
    assert distances.tolist() == [2.0]


def test_nearest_of_the_points_themselves_is_the_identity(points):
    indices, distances = rigidalign.nearest(points, points)
    np.testing.assert_array_equal(indices, np.arange(len(points)))
    assert not distances.any()
