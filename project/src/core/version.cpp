#include <rigidalign/version.hpp>

namespace rigidalign {

const char* version() noexcept { return RIGIDALIGN_VERSION; }

}  // namespace rigidalign
