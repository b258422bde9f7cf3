#pragma once

#include <sstream>
#include <string>

namespace rigidalign::detail {

/// Put the parts together in one string, as a stream would write them.
template <typename... Parts>
std::string text(const Parts&... parts) {
    std::ostringstream out;
    (out << ... << parts);
    return out.str();
}

}  // namespace rigidalign::detail
