#pragma once

#include <rigidalign/export.hpp>

namespace rigidalign {

/// The version of the library, such as "0.1.0".
RIGIDALIGN_API const char* version() noexcept;

}  // namespace rigidalign
