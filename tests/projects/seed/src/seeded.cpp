#include <boost/python.hpp>

#include <cstdint>

class Generator {
public:
    explicit Generator(std::uint32_t seed) : state(seed ? seed : 1) {}
    std::uint32_t next() // xorshift32, Marsaglia 2003
    {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        return state;
    }

private:
    std::uint32_t state;
};

BOOST_PYTHON_MODULE(_seeded)
{
    using namespace boost::python;
    class_<Generator>("Generator", init<std::uint32_t>()).def("next", &Generator::next);
}
