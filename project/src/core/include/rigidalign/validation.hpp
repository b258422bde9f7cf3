#pragma once

#include <rigidalign/export.hpp>
#include <rigidalign/points.hpp>

#include <string>

namespace rigidalign {

/// Fewer points than this never determine a rotation.
inline constexpr Eigen::Index min_points = 3;

/// The largest coordinate accepted: squares and their sums stay far from overflow.
inline constexpr double max_coordinate = 1e100;

/// Throw InvalidArgument unless every coordinate is finite and at most max_coordinate in magnitude.
RIGIDALIGN_API void require_finite(const PointsView& points, const std::string& name);

/// Throw InvalidArgument unless there are at least `minimum` points.
RIGIDALIGN_API void require_count(const PointsView& points, Eigen::Index minimum, const std::string& name);

/// Throw InvalidArgument unless both have the same number of points.
RIGIDALIGN_API void require_paired(const PointsView& source, const PointsView& target);

/// Are all points the same one, but for the rounding of their coordinates?
RIGIDALIGN_API bool all_coincident(const PointsView& points);

/// Throw DegenerateInput if all points coincide.
RIGIDALIGN_API void require_distinct(const PointsView& points, const std::string& name);

}  // namespace rigidalign
