# cython: language_level=3
cimport numpy as cnp
import numpy as np

cnp.import_array()


def cumulative(double[:] values):
    """Return the cumulative sums."""
    cdef Py_ssize_t i
    cdef double total = 0
    result = np.empty(values.shape[0])
    cdef double[:] view = result
    for i in range(values.shape[0]):
        total += values[i]
        view[i] = total
    return result
