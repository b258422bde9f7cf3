#pragma once

#include <rigidalign/export.hpp>

#include <stdexcept>
#include <string>

namespace rigidalign {

/// Base of everything this library throws on its own account. Never thrown itself.
class RIGIDALIGN_API Error : public std::runtime_error {
public:
    ~Error() override;

protected:
    using std::runtime_error::runtime_error;
};

/// An argument has an unusable value. The message reads "<argument>: expected <expected>, got <got>".
class RIGIDALIGN_API InvalidArgument : public Error {
public:
    InvalidArgument(const std::string& argument, const std::string& expected, const std::string& got);
    ~InvalidArgument() override;
};

/// The points are well formed, but their geometry does not determine a transform.
class RIGIDALIGN_API DegenerateInput : public Error {
public:
    DegenerateInput(const std::string& argument, const std::string& expected, const std::string& got);
    ~DegenerateInput() override;
};

/// ICP found too few pairs of points within the allowed distance.
class RIGIDALIGN_API TooFewCorrespondences : public Error {
public:
    TooFewCorrespondences(int iteration, long pairs, long needed, double max_distance);
    ~TooFewCorrespondences() override;
};

}  // namespace rigidalign
