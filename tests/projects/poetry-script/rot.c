#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject* rot13(PyObject* self, PyObject* text)
{
    (void)self;
    PyObject* copy = PyUnicode_AsASCIIString(text);
    if (!copy)
        return NULL;
    for (char* c = PyBytes_AS_STRING(copy); *c; ++c) {
        const char base = *c >= 'a' && *c <= 'z' ? 'a' : 'A';
        if ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z'))
            *c = (char)(base + (*c - base + 13) % 26);
    }
    PyObject* result = PyUnicode_DecodeASCII(PyBytes_AS_STRING(copy), PyBytes_GET_SIZE(copy), "strict");
    Py_DECREF(copy);
    return result;
}

static PyMethodDef methods[] = {{"rot13", rot13, METH_O, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_rot", NULL, 0, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__rot(void)
{
    return PyModuleDef_Init(&module);
}
