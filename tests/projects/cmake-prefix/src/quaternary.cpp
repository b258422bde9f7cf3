#include <algorithm>
#include <quaternary.hpp>

std::string quaternary::digits(unsigned long long number)
{
    std::string text;
    do {
        text += static_cast<char>('0' + number % 4);
        number /= 4;
    } while (number);
    std::reverse(text.begin(), text.end());
    return text;
}
