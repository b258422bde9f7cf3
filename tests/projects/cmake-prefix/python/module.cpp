#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <quaternary.hpp>

static PyObject* digits(PyObject*, PyObject* argument)
{
    const unsigned long long number = PyLong_AsUnsignedLongLong(argument);
    if (PyErr_Occurred())
        return nullptr;
    return PyUnicode_FromString(quaternary::digits(number).c_str());
}

static PyMethodDef methods[] = {{"digits", digits, METH_O, nullptr}, {}};
static PyModuleDef module = {PyModuleDef_HEAD_INIT, "_quaternary", nullptr, 0, methods, {}, {}, {}, {}};

PyMODINIT_FUNC PyInit__quaternary()
{
    return PyModuleDef_Init(&module);
}
