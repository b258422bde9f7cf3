#pragma once

#include <rigidalign/export.hpp>
#include <rigidalign/points.hpp>
#include <rigidalign/transform.hpp>

namespace rigidalign {

/// The transform that takes source[i] closest to target[i] in the least-squares sense.
///
/// Closed form after S. Umeyama, "Least-squares estimation of transformation parameters between two point
/// patterns", IEEE PAMI 13(4), 1991, doi:10.1109/34.88573. The rotation is always proper, even where a
/// reflection would fit better. For collinear points the best rotation is not unique; one of the best is
/// returned.
///
/// With `scaling`, the best scale is sought too, otherwise it is 1. Throws InvalidArgument or
/// DegenerateInput, naming `source` or `target`.
RIGIDALIGN_API Transform umeyama(const PointsView& source, const PointsView& target, bool scaling = false);

}  // namespace rigidalign
