#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject* clamp(PyObject* self, PyObject* args)
{
    (void)self;
    double value, low, high;
    if (!PyArg_ParseTuple(args, "ddd", &value, &low, &high))
        return NULL;
    return PyFloat_FromDouble(value < low ? low : value > high ? high : value);
}

static PyMethodDef methods[] = {{"clamp", clamp, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_clamp", NULL, 0, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__clamp(void)
{
    return PyModuleDef_Init(&module);
}
