"""Iterative closest point."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest

import reference as ref
import rigidalign


@pytest.fixture
def cloud(rng):
    """Points on a bumpy surface: no symmetry, and neighbours well apart."""
    u, v = np.meshgrid(np.linspace(-1.0, 1.0, 18), np.linspace(-1.0, 1.0, 18))
    surface = np.stack([u, v, 0.4 * np.sin(2.5 * u) * np.cos(1.5 * v) + 0.3 * u * u * v], axis=-1)
    return surface.reshape(-1, 3) + rng.normal(scale=0.002, size=(324, 3))


@pytest.fixture
def motion():
    """A rigid motion of about the distance of neighbouring points: several iterations for ICP."""
    return ref.similarity(ref.rotation(np.array([1.0, 2.0, 3.0]), 0.06), [0.02, -0.03, 0.02])


class TestIcpResult:
    def test_icp_recovers_a_rigid_motion_of_shuffled_points(self, rng, cloud, motion):
        order = rng.permutation(len(cloud))
        result = rigidalign.icp(cloud, ref.apply(motion, cloud)[order])
        np.testing.assert_allclose(result.transform.matrix, motion, atol=1e-10)
        np.testing.assert_array_equal(order[result.correspondences], np.arange(len(cloud)))
        assert result.converged
        assert 1 < result.iterations < 50
        assert result.rms < 1e-10

    def test_icp_with_scaling_recovers_the_scale(self, cloud, motion):
        motion[:3, :3] *= 1.03
        result = rigidalign.icp(cloud, ref.apply(motion, cloud), scaling=True)
        np.testing.assert_allclose(result.transform.matrix, motion, atol=1e-10)
        assert result.transform.scale == pytest.approx(1.03, rel=1e-10)

    def test_icp_result_is_consistent_with_its_transform(self, rng, cloud, motion):
        target = ref.apply(motion, cloud)[rng.permutation(len(cloud))[:250]]
        target += rng.normal(scale=0.01, size=target.shape)
        result = rigidalign.icp(cloud, target)
        moved = result.transform.apply(cloud)
        indices, distances = ref.nearest(target, moved)
        np.testing.assert_array_equal(result.correspondences, indices)
        assert result.rms == pytest.approx(np.sqrt((distances**2).mean()), rel=1e-12)
        refit = rigidalign.umeyama(cloud, target[indices])
        assert refit == result.transform  # a fixed point

    def test_icp_result_is_frozen(self, cloud):
        result = rigidalign.icp(cloud, cloud)
        with pytest.raises(dataclasses.FrozenInstanceError):
            result.rms = 0.0
        with pytest.raises(ValueError, match="read-only"):
            result.correspondences[0] = 1

    def test_icp_result_can_be_pickled(self, cloud, motion):
        result = rigidalign.icp(cloud, ref.apply(motion, cloud))
        copy = pickle.loads(pickle.dumps(result))
        assert copy.transform == result.transform
        for name in ("rms", "iterations", "converged"):
            assert getattr(copy, name) == getattr(result, name)
        np.testing.assert_array_equal(copy.correspondences, result.correspondences)


class TestIcpOptions:
    def test_icp_of_a_cloud_with_itself_takes_one_iteration(self, cloud):
        result = rigidalign.icp(cloud, cloud)
        assert (result.iterations, result.converged) == (1, True)
        np.testing.assert_allclose(result.transform.matrix, np.eye(4), atol=1e-12)

    @pytest.mark.parametrize("as_matrix", [False, True])
    def test_icp_starts_from_initial(self, rng, cloud, as_matrix):
        motion = ref.similarity(ref.random_rotation(rng) @ np.diag([-1.0, -1.0, 1.0]), [50.0, 60.0, 70.0])
        start = ref.similarity(ref.random_rotation(rng, 0.02)) @ motion
        start[:3, 3] = motion[:3, 3]
        result = rigidalign.icp(
            cloud, ref.apply(motion, cloud), initial=start if as_matrix else rigidalign.Transform(start)
        )
        np.testing.assert_allclose(result.transform.matrix, motion, atol=1e-9)

    def test_icp_stops_after_max_iterations(self, cloud, motion):
        result = rigidalign.icp(cloud, ref.apply(motion, cloud), max_iterations=1)
        assert (result.iterations, result.converged) == (1, False)

    def test_icp_with_a_coarse_tolerance_stops_sooner(self, cloud, motion):
        target = ref.apply(motion, cloud)
        coarse = rigidalign.icp(cloud, target, tolerance=0.5)
        assert coarse.converged
        assert coarse.iterations < rigidalign.icp(cloud, target).iterations

    def test_icp_max_distance_leaves_outliers_out(self, rng, cloud, motion):
        outliers = rng.uniform(4.0, 6.0, size=(40, 3))
        result = rigidalign.icp(np.concatenate([cloud, outliers]), ref.apply(motion, cloud), max_distance=0.5)
        np.testing.assert_allclose(result.transform.matrix, motion, atol=1e-10)
        assert (result.correspondences[-40:] == -1).all()
        assert (result.correspondences[:-40] >= 0).all()

    def test_icp_recovers_from_pairing_everything_with_one_point(self, cloud):
        shift = np.array([0.0, 0.0, 1e4])
        corner = np.concatenate([cloud + shift, [[0.0, 0.0, 1e4 - 5.0]]])
        result = rigidalign.icp(cloud, corner, max_iterations=200)
        assert result.converged
        assert result.rms < 10.0

    def test_icp_is_deterministic(self, cloud, motion):
        target = ref.apply(motion, cloud)
        first, second = rigidalign.icp(cloud, target), rigidalign.icp(cloud, target)
        assert first.transform == second.transform
        assert first.rms == second.rms
