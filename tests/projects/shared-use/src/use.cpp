#include "point.hpp"

#include <boost/python.hpp>
#include <cmath>

static double length(const Point& point) {
    return std::hypot(point.x, point.y);
}

BOOST_PYTHON_MODULE(_use) {
    boost::python::def("length", length);
}
