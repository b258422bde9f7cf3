#include <boost/python.hpp>

// Sakamoto's method: 0 is a Sunday.
static int weekday(int year, int month, int day)
{
    static const int offsets[] = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};
    year -= month < 3;
    return (year + year / 4 - year / 100 + year / 400 + offsets[(month - 1 + 12) % 12] + day) % 7;
}

BOOST_PYTHON_MODULE(cmeelday)
{
    boost::python::def("weekday", &weekday);
}
