import numpy as np

from .. import cumulative


def test_as_numpy() -> None:
    values = np.arange(5.0)
    assert np.array_equal(cumulative(values), np.cumsum(values))
