#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject* gcd(PyObject* self, PyObject* args)
{
    (void)self;
    unsigned long long a, b;
    if (!PyArg_ParseTuple(args, "KK", &a, &b))
        return NULL;
    while (b) {
        unsigned long long rest = a % b;
        a = b;
        b = rest;
    }
    return PyLong_FromUnsignedLongLong(a);
}

static PyMethodDef methods[] = {{"gcd", gcd, METH_VARARGS, "The greatest common divisor."}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_gcd", NULL, 0, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__gcd(void)
{
    return PyModuleDef_Init(&module);
}
