#pragma once

namespace rigidalign::bindings {

/// Create the Python exceptions and let the C++ ones turn into them.
void bind_errors();

/// The class Transform.
void bind_transform();

/// The functions umeyama, icp and nearest.
void bind_align();

}  // namespace rigidalign::bindings
