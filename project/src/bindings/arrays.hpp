#pragma once

#include <boost/python.hpp>
#include <boost/python/numpy.hpp>

#include <Eigen/Core>
#include <rigidalign/points.hpp>

#include <cstdint>
#include <string>
#include <vector>

/// NumPy arrays to Eigen and back. Every conversion copies: the computation runs without the GIL, when any
/// other thread may write to the caller's arrays.
namespace rigidalign::bindings {

namespace bp = boost::python;
namespace np = boost::python::numpy;

/// The memory layout of a C-ordered two-dimensional array.
using RowMajorMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Points given as an (N, 3) array or as one point of shape (3,).
struct PointsArgument {
    Points points;
    bool single = false;
};

/// An (N, 3) array-like of real numbers. Throws InvalidArgument naming the argument.
Points to_points(const bp::object& object, const std::string& name);

/// An (N, 3) or (3,) array-like of real numbers. Throws InvalidArgument naming the argument.
PointsArgument to_points_or_point(const bp::object& object, const std::string& name);

/// A (4, 4) array-like of real numbers. Throws InvalidArgument naming the argument.
Eigen::Matrix4d to_matrix(const bp::object& object, const std::string& name);

/// A new (rows, columns) array.
np::ndarray to_array(const Eigen::Ref<const RowMajorMatrix>& matrix);

/// A new one-dimensional array.
np::ndarray to_vector(const Eigen::Ref<const Eigen::VectorXd>& vector);
np::ndarray to_vector(const std::vector<std::int64_t>& values);

}  // namespace rigidalign::bindings
