"""The Transform type."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import reference as ref
import rigidalign
from rigidalign import Transform


def random_transform(rng: np.random.Generator) -> Transform:
    return Transform(ref.similarity(ref.random_rotation(rng), rng.normal(size=3), rng.uniform(0.2, 5.0)))


def assert_close(a: Transform, b: Transform) -> None:
    np.testing.assert_allclose(a.matrix, b.matrix, atol=1e-12)


def test_transform_is_the_identity_by_default():
    identity = Transform()
    np.testing.assert_array_equal(identity.matrix, np.eye(4))
    assert identity == Transform(None) == Transform(matrix=np.eye(4, dtype=int))
    assert identity.scale == 1.0


def test_transform_has_the_parts_of_its_matrix(rng):
    rotation = ref.random_rotation(rng)
    matrix = ref.similarity(rotation, [1.0, 2.0, 3.0], 2.5)
    transform = Transform(matrix)
    np.testing.assert_array_equal(transform.matrix, matrix)
    np.testing.assert_allclose(transform.rotation, rotation, atol=1e-14)
    np.testing.assert_array_equal(transform.translation, [1.0, 2.0, 3.0])
    assert transform.scale == pytest.approx(2.5, rel=1e-14)


def test_transform_properties_are_copies_and_read_only():
    transform = Transform()
    for name in ("matrix", "rotation", "translation"):
        getattr(transform, name)[...] = 7.0
        with pytest.raises(AttributeError):
            setattr(transform, name, np.eye(4))
    assert transform == Transform()


def test_transform_applies_to_many_points_or_one(rng, points):
    transform = random_transform(rng)
    moved = transform.apply(points)
    np.testing.assert_allclose(moved, ref.apply(transform.matrix, points), atol=1e-12)
    single = transform.apply(points[0])
    assert single.shape == (3,)
    np.testing.assert_allclose(single, moved[0], atol=1e-14)


def test_transform_obeys_the_group_laws(rng, points):
    a, b, c = (random_transform(rng) for _ in range(3))
    assert a @ Transform() == a == Transform() @ a
    assert_close((a @ b) @ c, a @ (b @ c))
    assert_close(a @ a.inverse(), Transform())
    assert_close(a.inverse() @ a, Transform())
    assert_close((a @ b).inverse(), b.inverse() @ a.inverse())
    np.testing.assert_allclose((a @ b).apply(points), a.apply(b.apply(points)), atol=1e-12)
    np.testing.assert_allclose((a @ b).matrix, a.matrix @ b.matrix, atol=1e-12)
    assert a.compose(b) == a @ b


def test_transform_stays_a_similarity_over_many_compositions(rng):
    step = Transform(ref.similarity(ref.random_rotation(rng)))
    total = Transform()
    for _ in range(20_000):
        total = total @ step
    np.testing.assert_allclose(total.rotation @ total.rotation.T, np.eye(3), atol=1e-11)
    assert total.scale == pytest.approx(1.0, abs=1e-9)


def test_transform_survives_pickle_and_copy_exactly(rng):
    transform = random_transform(rng)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(transform, protocol)) == transform
    assert copy.copy(transform) == copy.deepcopy(transform) == transform


def test_transform_equality_and_hash_agree(rng):
    transform = random_transform(rng)
    same = Transform(transform.matrix)
    assert same == transform
    assert (same != transform) is False
    assert hash(same) == hash(transform)
    assert len({transform, same, Transform()}) == 2
    assert transform != Transform()
    assert transform != "transform"
    negative_zero = np.eye(4)
    negative_zero[0, 1] = -0.0
    assert Transform(negative_zero) == Transform()
    assert hash(Transform(negative_zero)) == hash(Transform())


def test_transform_repr_evaluates_to_an_equal_transform(rng):
    transform = random_transform(rng)
    assert eval(repr(transform), {"Transform": Transform}) == transform


def test_transform_from_single_precision_is_made_a_rotation(rng):
    matrix = ref.similarity(ref.random_rotation(rng)).astype(np.float32)
    rotation = Transform(matrix).rotation
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-14)
    np.testing.assert_allclose(rotation, matrix[:3, :3], atol=1e-6)


def test_transform_multiplies_transforms_only(points):
    for other in (points, np.eye(4), 2.0, None):
        with pytest.raises(TypeError):
            Transform() @ other
        with pytest.raises(TypeError):
            other @ Transform()
    with pytest.raises(TypeError, match="other: expected a Transform, got float"):
        Transform().compose(2.0)


def test_transform_belongs_to_the_package():
    assert Transform.__module__ == "rigidalign"
    assert rigidalign.Transform is Transform
