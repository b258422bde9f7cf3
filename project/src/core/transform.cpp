#include <rigidalign/transform.hpp>

#include <rigidalign/error.hpp>

#include "text.hpp"

#include <Eigen/LU>
#include <Eigen/SVD>

#include <cmath>
#include <functional>

namespace rigidalign {
namespace {

using detail::text;

constexpr double accepted_error = 1e-6;  // room for a matrix that went through single precision
constexpr double kept_error = 1e-12;     // room for the rounding of a few double precision products

/// The largest deviation of RᵀR from the identity.
double orthogonality_error(const Eigen::Matrix3d& rotation) {
    return (rotation.transpose() * rotation - Eigen::Matrix3d::Identity()).cwiseAbs().maxCoeff();
}

/// The cube root of the determinant: the scale of a similarity. Negative for a reflection.
double signed_scale(const Eigen::Matrix3d& linear) {
    const double largest = linear.cwiseAbs().maxCoeff();
    if (largest == 0) {
        return 0;
    }
    // Divided first, since the determinant is a third power and would leave the range of double.
    const double scale = largest * std::cbrt((linear / largest).determinant());
    return std::abs(scale - 1) <= kept_error ? 1 : scale;
}

/// The rotation nearest to a matrix that nearly is one (the orthogonal factor of its polar decomposition).
Eigen::Matrix3d nearest_rotation(const Eigen::Matrix3d& matrix) {
    const Eigen::JacobiSVD<Eigen::Matrix3d> svd(matrix, Eigen::ComputeFullU | Eigen::ComputeFullV);
    return svd.matrixU() * svd.matrixV().transpose();
}

void require_affine(const Eigen::Matrix4d& matrix) {
    if (matrix.row(3) != Eigen::RowVector4d(0, 0, 0, 1)) {
        throw InvalidArgument(
            "matrix", "a last row of [0, 0, 0, 1]",
            text("[", matrix(3, 0), ", ", matrix(3, 1), ", ", matrix(3, 2), ", ", matrix(3, 3), "]"));
    }
}

const Eigen::Matrix4d& affine(const Eigen::Matrix4d& matrix) {
    require_affine(matrix);
    return matrix;
}

}  // namespace

Transform::Transform()
    : linear_(Eigen::Matrix3d::Identity()), translation_(Eigen::Vector3d::Zero()), scale_(1) {}

Transform::Transform(const Eigen::Matrix4d& matrix)
    : Transform(
          Eigen::Matrix3d(affine(matrix).topLeftCorner<3, 3>()),
          Eigen::Vector3d(matrix.topRightCorner<3, 1>())) {}

Transform::Transform(const Eigen::Matrix3d& linear, const Eigen::Vector3d& translation)
    : linear_(linear), translation_(translation) {
    if (!linear.allFinite() || !translation.allFinite()) {
        throw InvalidArgument("matrix", "finite elements", "NaN or infinity");
    }
    scale_ = signed_scale(linear);
    if (!std::isnormal(scale_) || scale_ < 0) {
        throw InvalidArgument(
            "matrix", "a rotation times a positive scale (a positive determinant)",
            scale_ < 0 ? "a reflection (a negative determinant)" : "a singular matrix");
    }
    const double error = orthogonality_error(rotation());
    if (!(error <= accepted_error)) {
        throw InvalidArgument(
            "matrix", "a rotation times a positive scale",
            text("a linear part whose columns are not orthogonal and of one length (relative error ", error, ")"));
    }
    if (error > kept_error) {
        linear_ = scale_ * nearest_rotation(rotation());
        scale_ = signed_scale(linear_);
    }
}

Eigen::Matrix4d Transform::matrix() const {
    Eigen::Matrix4d result = Eigen::Matrix4d::Identity();
    result.topLeftCorner<3, 3>() = linear_;
    result.topRightCorner<3, 1>() = translation_;
    return result;
}

Eigen::Matrix3d Transform::rotation() const { return linear_ / scale_; }

Points Transform::apply(const PointsView& points) const {
    Points result = points * linear_.transpose();
    result.rowwise() += translation_.transpose();
    return result;
}

Transform Transform::inverse() const {
    // Not Rᵀ / s: the true inverse undoes whatever rounding the linear part holds.
    const Eigen::Matrix3d inverse = rotation().inverse() / scale_;
    return Transform(inverse, Eigen::Vector3d(-(inverse * translation_)));
}

Transform Transform::compose(const Transform& other) const {
    return Transform(
        Eigen::Matrix3d(linear_ * other.linear_),
        Eigen::Vector3d(linear_ * other.translation_ + translation_));
}

std::size_t Transform::hash() const {
    // std::hash gives both zeros the same value, as == demands.
    std::size_t seed = 0;
    const auto mix = [&seed](double value) {
        seed = seed * 1000003U + std::hash<double>()(value);
    };
    for (const double value : linear_.reshaped()) {
        mix(value);
    }
    for (const double value : translation_) {
        mix(value);
    }
    return seed;
}

bool operator==(const Transform& a, const Transform& b) {
    return a.linear_ == b.linear_ && a.translation_ == b.translation_;
}

}  // namespace rigidalign
