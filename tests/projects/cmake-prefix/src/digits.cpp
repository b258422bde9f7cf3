#include <cstdlib>
#include <iostream>
#include <quaternary.hpp>

int main(int count, char** arguments)
{
    if (count != 2)
        return 2;
    std::cout << quaternary::digits(std::strtoull(arguments[1], nullptr, 10)) << '\n';
}
