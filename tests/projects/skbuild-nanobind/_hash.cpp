#include <nanobind/nanobind.h>

#include <cstdint>

namespace nb = nanobind;

static std::uint64_t fnv1a(nb::bytes data)
{
    std::uint64_t hash = 14695981039346656037ull;
    const char* bytes = data.c_str();
    for (std::size_t i = 0; i < data.size(); ++i)
        hash = (hash ^ static_cast<unsigned char>(bytes[i])) * 1099511628211ull;
    return hash;
}

NB_MODULE(_hash, module)
{
    module.def("fnv1a", &fnv1a);
}
