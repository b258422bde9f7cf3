#include <rigidalign/error.hpp>

#include "text.hpp"

namespace rigidalign {

using detail::text;

// Destructors live here so that vtables and type information are emitted once, in this library: a catch in
// another library must see the same type.
Error::~Error() = default;
InvalidArgument::~InvalidArgument() = default;
DegenerateInput::~DegenerateInput() = default;
TooFewCorrespondences::~TooFewCorrespondences() = default;

InvalidArgument::InvalidArgument(
    const std::string& argument, const std::string& expected, const std::string& got)
    : Error(text(argument, ": expected ", expected, ", got ", got)) {}

DegenerateInput::DegenerateInput(
    const std::string& argument, const std::string& expected, const std::string& got)
    : Error(text(argument, ": expected ", expected, ", got ", got)) {}

TooFewCorrespondences::TooFewCorrespondences(int iteration, long pairs, long needed, double max_distance)
    : Error(text(
          "max_distance: expected a distance that leaves at least ", needed, " pairs, got ", max_distance,
          ", which leaves ", pairs, " after ", iteration, " iterations")) {}

}  // namespace rigidalign
