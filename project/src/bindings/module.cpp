#include "bindings.hpp"

#include <boost/python.hpp>
#include <boost/python/numpy.hpp>
#include <rigidalign/version.hpp>

BOOST_PYTHON_MODULE(_core) {
    namespace bp = boost::python;
    bp::numpy::initialize();  // before any use of Boost.NumPy; imports NumPy

    const bp::docstring_options docs(true, false, false);  // our own texts, no generated signatures
    bp::scope().attr("__version__") = rigidalign::version();
    rigidalign::bindings::bind_errors();
    rigidalign::bindings::bind_transform();
    rigidalign::bindings::bind_align();
}
