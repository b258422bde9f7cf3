#include <pybind11/pybind11.h>

#include <string>

static std::string shift(std::string text, int by)
{
    for (char& letter : text)
        if (letter >= 'a' && letter <= 'z')
            letter = static_cast<char>('a' + (letter - 'a' + by % 26 + 26) % 26);
    return text;
}

PYBIND11_MODULE(_shift, module)
{
    module.def("shift", &shift);
}
