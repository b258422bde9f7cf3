#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <vector>

static PyObject* primes_below(PyObject*, PyObject* argument)
{
    const Py_ssize_t limit = PyNumber_AsSsize_t(argument, PyExc_OverflowError);
    if (limit == -1 && PyErr_Occurred())
        return nullptr;
    PyObject* found = PyList_New(0);
    std::vector<bool> composite(limit > 2 ? static_cast<std::size_t>(limit) : 2);
    for (std::size_t n = 2; found && n < composite.size() && static_cast<Py_ssize_t>(n) < limit; ++n) {
        if (composite[n])
            continue;
        for (std::size_t multiple = n * n; multiple < composite.size(); multiple += n)
            composite[multiple] = true;
        PyObject* number = PyLong_FromSize_t(n);
        if (!number || PyList_Append(found, number) < 0)
            Py_CLEAR(found);
        Py_XDECREF(number);
    }
    return found;
}

static PyMethodDef methods[] = {{"primes_below", primes_below, METH_O, nullptr}, {}};
static PyModuleDef module = {PyModuleDef_HEAD_INIT, "_sieve", nullptr, 0, methods, {}, {}, {}, {}};

PyMODINIT_FUNC PyInit__sieve()
{
    return PyModuleDef_Init(&module);
}
