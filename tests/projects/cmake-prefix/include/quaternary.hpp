#pragma once
#include <string>

namespace quaternary {
/// The digits of a number to the base of four.
std::string digits(unsigned long long number);
}
