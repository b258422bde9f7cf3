#pragma once

#include <rigidalign/export.hpp>
#include <rigidalign/points.hpp>

#include <cstddef>

namespace rigidalign {

/// A similarity of 3-D space that keeps handedness: x -> s R x + t with s > 0 and R a proper rotation.
///
/// The value is the matrix [sR t; 0 1] and nothing else: scale and rotation are derived from it, and two
/// transforms are equal exactly when their matrices are.
class RIGIDALIGN_API Transform {
public:
    /// The identity.
    Transform();

    /// From a 4x4 matrix. Throws InvalidArgument (naming `matrix`) if it is not such a similarity to within
    /// 1e-6. A linear part that is off by more than 1e-12 (say, one that went through single precision) is
    /// replaced by the nearest exact one.
    explicit Transform(const Eigen::Matrix4d& matrix);

    /// From the linear part sR and the translation, with the same checks.
    Transform(const Eigen::Matrix3d& linear, const Eigen::Vector3d& translation);

    [[nodiscard]] Eigen::Matrix4d matrix() const;
    [[nodiscard]] const Eigen::Matrix3d& linear() const { return linear_; }
    [[nodiscard]] const Eigen::Vector3d& translation() const { return translation_; }
    [[nodiscard]] double scale() const { return scale_; }
    [[nodiscard]] Eigen::Matrix3d rotation() const;

    /// Each point, transformed.
    [[nodiscard]] Points apply(const PointsView& points) const;

    [[nodiscard]] Transform inverse() const;

    /// The transform that applies `other` first and then this one.
    [[nodiscard]] Transform compose(const Transform& other) const;

    /// A hash that agrees with ==.
    [[nodiscard]] std::size_t hash() const;

    friend RIGIDALIGN_API bool operator==(const Transform& a, const Transform& b);

private:
    // None of these members is over-aligned, so any allocator may hold a Transform.
    Eigen::Matrix3d linear_;
    Eigen::Vector3d translation_;
    double scale_;  // a function of linear_, kept because it costs a determinant
};

}  // namespace rigidalign
