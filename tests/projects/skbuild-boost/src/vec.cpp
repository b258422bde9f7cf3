#include <boost/python.hpp>

#include <cmath>

struct Vec {
    double x, y;
    Vec(double x_, double y_) : x(x_), y(y_) {}
    double norm() const { return std::hypot(x, y); }
    Vec operator+(const Vec& other) const { return {x + other.x, y + other.y}; }
};

BOOST_PYTHON_MODULE(_vec)
{
    using namespace boost::python;
    class_<Vec>("Vec", init<double, double>())
        .def_readwrite("x", &Vec::x)
        .def_readwrite("y", &Vec::y)
        .def("norm", &Vec::norm)
        .def(self + self);
}
