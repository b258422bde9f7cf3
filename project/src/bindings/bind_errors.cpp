#include "bindings.hpp"

#include <boost/python.hpp>
#include <rigidalign/error.hpp>

#include <string>

namespace rigidalign::bindings {
namespace {

namespace bp = boost::python;

/// A new exception class, put into the module.
PyObject* new_exception(const char* name, const char* doc, PyObject* base) {
    const std::string full_name = std::string("rigidalign.") + name;  // where users find it, and pickle
    PyObject* type = PyErr_NewExceptionWithDoc(full_name.c_str(), doc, base, nullptr);
    if (type == nullptr) {
        bp::throw_error_already_set();
    }
    bp::scope().attr(name) = bp::object(bp::handle<>(bp::borrowed(type)));
    return type;
}

/// Turn a C++ exception into the Python one. Keeps a plain pointer to a class that is never freed: Boost
/// destroys its translators after the interpreter, when no reference may be dropped any more.
template <typename Exception>
void translate(PyObject* type) {
    bp::register_exception_translator<Exception>(
        [type](const Exception& error) { PyErr_SetString(type, error.what()); });
}

}  // namespace

void bind_errors() {
    PyObject* base = new_exception(
        "AlignmentError", "Base of the errors of rigidalign.", PyExc_ValueError);
    translate<InvalidArgument>(new_exception(
        "InvalidInputError", "An argument has an unusable dtype, shape or value.", base));
    translate<DegenerateInput>(new_exception(
        "DegenerateInputError", "The points do not determine a transform.", base));
    translate<TooFewCorrespondences>(new_exception(
        "CorrespondenceError", "ICP found too few pairs of points within max_distance.", base));
}

}  // namespace rigidalign::bindings
