#include "point.hpp"

#include <boost/python.hpp>

BOOST_PYTHON_MODULE(_point) {
    boost::python::class_<Point>("Point").def_readwrite("x", &Point::x).def_readwrite("y", &Point::y);
}
