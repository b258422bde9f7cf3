#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <stdexcept>
#include <vector>

std::vector<double> running_mean(const std::vector<double>& values, std::size_t width)
{
    if (width == 0 || width > values.size())
        throw std::invalid_argument("width is between 1 and the number of values");
    std::vector<double> means;
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        sum += values[i];
        if (i >= width)
            sum -= values[i - width];
        if (i + 1 >= width)
            means.push_back(sum / static_cast<double>(width));
    }
    return means;
}

PYBIND11_MODULE(_core, module)
{
    module.def("running_mean", &running_mean);
}
