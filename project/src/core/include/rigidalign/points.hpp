#pragma once

#include <Eigen/Core>

namespace rigidalign {

/// N points, one a row: the memory layout of a C-ordered (N, 3) array.
using Points = Eigen::Matrix<double, Eigen::Dynamic, 3, Eigen::RowMajor>;

/// A read-only view of points, without a copy.
using PointsView = Eigen::Ref<const Points>;

}  // namespace rigidalign
