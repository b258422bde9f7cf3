#include <cstdlib>
#include <iostream>
#include <quaternary.hpp>
#include <string>

// conda writes the path of the environment here: the compiler must not know how long it is.
const char* volatile prefix = PREFIX;

int main(int count, char** arguments)
{
    if (count != 2)
        return 2;
    if (std::string(arguments[1]) == "--prefix")
        return !(std::cout << prefix << '\n');
    std::cout << quaternary::digits(std::strtoull(arguments[1], nullptr, 10)) << '\n';
}
