"""The closed-form alignment, against NumPy and by its properties."""

from __future__ import annotations

import numpy as np
import pytest

import reference as ref
import rigidalign


def assert_proper_rotation(rotation: np.ndarray) -> None:
    np.testing.assert_allclose(rotation.T @ rotation, np.eye(3), atol=1e-13)
    assert np.linalg.det(rotation) == pytest.approx(1.0, abs=1e-13)


@pytest.mark.parametrize("scaling", [False, True])
def test_umeyama_equals_numpy_reference_on_noisy_points(rng, points, scaling):
    truth = ref.similarity(ref.random_rotation(rng), [3.0, -1.0, 2.0], 1.7 if scaling else 1.0)
    target = ref.apply(truth, points) + rng.normal(scale=0.2, size=points.shape)
    result = rigidalign.umeyama(points, target, scaling)
    np.testing.assert_allclose(result.matrix, ref.umeyama(points, target, scaling), atol=1e-12)


@pytest.mark.parametrize("scale", [1e-6, 0.5, 1.0, 40.0])
def test_umeyama_recovers_an_exact_similarity(rng, points, scale):
    truth = ref.similarity(ref.random_rotation(rng), [10.0, -20.0, 30.0], scale)
    result = rigidalign.umeyama(points, ref.apply(truth, points), scaling=True)
    np.testing.assert_allclose(result.matrix, truth, rtol=1e-9, atol=1e-12 * max(1.0, scale))
    assert result.scale == pytest.approx(scale, rel=1e-9)


def test_umeyama_without_scaling_has_scale_exactly_one(rng, points):
    assert rigidalign.umeyama(points, 3.0 * points + rng.normal(size=points.shape)).scale == 1.0


def test_umeyama_is_the_least_squares_optimum(rng, points):
    target = points + rng.normal(scale=0.3, size=points.shape)
    best = rigidalign.umeyama(points, target, scaling=True)
    residual = ref.rms(best.apply(points), target)
    for _ in range(50):
        shift, scale = rng.normal(scale=0.01, size=3), rng.uniform(0.98, 1.02)
        nudge = ref.similarity(ref.random_rotation(rng, 0.02), shift, scale)
        assert ref.rms(ref.apply(nudge @ best.matrix, points), target) >= residual


def test_umeyama_never_reflects(points):
    mirrored = points * [1.0, 1.0, -1.0]
    result = rigidalign.umeyama(points, mirrored)
    assert_proper_rotation(result.rotation)
    np.testing.assert_allclose(result.matrix, ref.umeyama(points, mirrored, False), atol=1e-12)


def test_umeyama_of_planar_points_is_exact(rng, points):
    planar = points * [1.0, 1.0, 0.0]
    truth = ref.similarity(ref.random_rotation(rng), [1.0, 2.0, 3.0])
    result = rigidalign.umeyama(planar, ref.apply(truth, planar))
    np.testing.assert_allclose(result.matrix, truth, atol=1e-12)


@pytest.mark.parametrize("scaling", [False, True])
def test_umeyama_of_collinear_points_has_the_least_residual(rng, scaling):
    line = np.array([5.0, 6.0, 7.0]) + np.outer(np.linspace(-1.0, 2.0, 9), [1.0, 2.0, -0.5])
    truth = ref.similarity(ref.random_rotation(rng), [1.0, 2.0, 3.0], 2.5 if scaling else 1.0)
    target = ref.apply(truth, line)
    result = rigidalign.umeyama(line, target, scaling)
    assert_proper_rotation(result.rotation)
    np.testing.assert_allclose(result.apply(line), target, atol=1e-12)


def test_umeyama_of_three_points_is_enough(rng):
    triangle = rng.normal(size=(3, 3))
    truth = ref.similarity(ref.random_rotation(rng), [0.0, 1.0, 0.0])
    np.testing.assert_allclose(
        rigidalign.umeyama(triangle, ref.apply(truth, triangle)).matrix, truth, atol=1e-12
    )


@pytest.mark.parametrize("size", [1e-90, 1e90])
def test_umeyama_neither_underflows_nor_overflows(rng, points, size):
    rotation = ref.random_rotation(rng)
    result = rigidalign.umeyama(points * size, points @ rotation.T, scaling=True)
    np.testing.assert_allclose(result.rotation, rotation, atol=1e-12)
    assert result.scale == pytest.approx(1.0 / size, rel=1e-9)


def test_umeyama_far_from_the_origin_keeps_its_accuracy(rng, points):
    rotation = ref.random_rotation(rng)
    centred = points - points.mean(axis=0)
    result = rigidalign.umeyama(centred + 1e6, centred @ rotation.T - 1e6)
    np.testing.assert_allclose(result.rotation, rotation, atol=1e-9)


@pytest.mark.parametrize(
    "convert",
    [
        pytest.param(lambda a: a.tolist(), id="list"),
        pytest.param(np.asfortranarray, id="fortran"),
        pytest.param(lambda a: np.repeat(a, 2, axis=0)[::2], id="strided"),
        pytest.param(lambda a: a[::-1][::-1], id="reversed view"),
        pytest.param(lambda a: a.astype(">f8"), id="big endian"),
        pytest.param(lambda a: a.astype(np.longdouble), id="longdouble"),
        pytest.param(lambda a: a.astype(np.int8), id="int8"),
        pytest.param(lambda a: a.astype(np.float32), id="float32"),
    ],
)
def test_umeyama_takes_any_real_array(rng, convert):
    whole = rng.integers(-50, 50, size=(12, 3)).astype(np.float64)
    target = rng.integers(-50, 50, size=(12, 3)).astype(np.float64)
    assert rigidalign.umeyama(convert(whole), convert(target)) == rigidalign.umeyama(whole, target)


def test_umeyama_leaves_its_arguments_alone(points):
    source, target = points.copy(), points[::-1].copy()
    source.flags.writeable = False
    rigidalign.umeyama(source, target)
    np.testing.assert_array_equal(source, points)
    np.testing.assert_array_equal(target, points[::-1])
