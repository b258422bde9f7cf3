// Right for small numbers and one thread. Otherwise: a heap overflow, an undefined shift, a data race.
#include <Python.h>

#include <memory>
#include <stdexcept>

static volatile unsigned total = 0;

static int element(int index) {
    std::unique_ptr<int[]> squares(new int[10]);
    for (int at = 0; at < 10; ++at)
        squares[at] = at * at;
    return squares[index];
}

static int power(int exponent) {
    return 1 << exponent;
}

static int count(int times) {
    for (int at = 0; at < times; ++at)
        total = total + 1;
    return static_cast<int>(total);
}

static int half(int number) {
    if (number % 2)
        throw std::invalid_argument("odd");
    return number / 2;
}

template <int function(int)>
static PyObject* call(PyObject*, PyObject* argument) {
    const long given = PyLong_AsLong(argument);
    if (PyErr_Occurred())
        return nullptr;
    PyThreadState* state = PyEval_SaveThread();
    try {
        const int answer = function(static_cast<int>(given));
        PyEval_RestoreThread(state);
        return PyLong_FromLong(answer);
    } catch (const std::invalid_argument& error) {
        PyEval_RestoreThread(state);
        PyErr_SetString(PyExc_ValueError, error.what());
        return nullptr;
    }
}

static PyMethodDef methods[] = {
    {"element", call<element>, METH_O, nullptr}, {"power", call<power>, METH_O, nullptr},
    {"count", call<count>, METH_O, nullptr},     {"half", call<half>, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_core", nullptr, -1, methods, nullptr, nullptr, nullptr, nullptr};

PyMODINIT_FUNC PyInit__core() {
    return PyModule_Create(&definition);
}
