"""Independent NumPy implementations the extension is compared with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def rotation(axis: np.ndarray, angle: float) -> np.ndarray:
    """The rotation about an axis, by Rodrigues' formula."""
    cross = np.cross(np.eye(3), -axis / np.linalg.norm(axis))
    return np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * (cross @ cross)


def random_rotation(rng: np.random.Generator, max_angle: float = np.pi) -> np.ndarray:
    """A rotation by at most `max_angle` about any axis."""
    return rotation(rng.normal(size=3), rng.uniform(0.0, max_angle))


def similarity(
    rotation: np.ndarray, translation: npt.ArrayLike = (0.0, 0.0, 0.0), scale: float = 1.0
) -> np.ndarray:
    """The 4x4 matrix."""
    matrix = np.eye(4)
    matrix[:3, :3] = scale * rotation
    matrix[:3, 3] = translation
    return matrix


def apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def umeyama(source: np.ndarray, target: np.ndarray, scaling: bool) -> np.ndarray:
    """Umeyama (1991), eq. (38) to (43), by numpy.linalg.svd."""
    mean_x, mean_y = source.mean(axis=0), target.mean(axis=0)
    x, y = source - mean_x, target - mean_y
    u, d, vt = np.linalg.svd(y.T @ x / len(x))
    s = np.array([1.0, 1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    rotation = u @ np.diag(s) @ vt
    scale = (d * s).sum() / (x**2).sum(axis=1).mean() if scaling else 1.0
    return similarity(rotation, mean_y - scale * rotation @ mean_x, scale)


def nearest(points: np.ndarray, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By looking at every pair."""
    squared = ((queries[:, None, :] - points[None, :, :]) ** 2).sum(axis=2)
    indices = squared.argmin(axis=1)
    return indices, np.sqrt(squared[np.arange(len(queries)), indices])


def rms(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sqrt(((a - b) ** 2).sum(axis=1).mean()))
