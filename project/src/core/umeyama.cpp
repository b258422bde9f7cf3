#include <rigidalign/umeyama.hpp>

#include <rigidalign/error.hpp>
#include <rigidalign/validation.hpp>

#include <Eigen/LU>
#include <Eigen/SVD>

#include <limits>

namespace rigidalign {
namespace {

/// Points about their centroid and in units of their own size, so that no product over- or underflows.
struct Centred {
    explicit Centred(const PointsView& points) {
        // By way of the first point, for a small rounding error far from the origin.
        const Eigen::RowVector3d first = points.row(0);
        shape = points.rowwise() - first;
        const Eigen::RowVector3d offset = shape.colwise().mean();
        shape.rowwise() -= offset;
        centroid = (first + offset).transpose();
        size = shape.cwiseAbs().maxCoeff();
        shape /= size;
    }

    Points shape;
    Eigen::Vector3d centroid;
    double size;
};

/// Where source and target are uncorrelated, eq. (42) yields the scale zero.
[[noreturn]] void throw_uncorrelated() {
    throw DegenerateInput(
        "target", "points that correlate with those of source (scaling=True)",
        "points for which the best scale is zero");
}

}  // namespace

Transform umeyama(const PointsView& source, const PointsView& target, bool scaling) {
    require_count(source, min_points, "source");
    require_count(target, min_points, "target");
    require_paired(source, target);
    require_finite(source, "source");
    require_finite(target, "target");
    require_distinct(source, "source");
    require_distinct(target, "target");

    const Centred x(source);
    const Centred y(target);
    const auto count = static_cast<double>(source.rows());

    // Eq. (38), covariance of target and source, and its decomposition U D Vᵀ.
    const Eigen::Matrix3d covariance = y.shape.transpose() * x.shape / count;
    const Eigen::JacobiSVD<Eigen::Matrix3d> svd(covariance, Eigen::ComputeFullU | Eigen::ComputeFullV);

    // Eq. (39) and (43): S flips the direction of the least singular value where U Vᵀ alone would reflect.
    // The sign of det(U) det(V) decides in every case: at full rank it is that of det(covariance), and below
    // (planar, collinear points) the flipped direction has the singular value zero and costs nothing.
    const Eigen::Matrix3d& u = svd.matrixU();
    const Eigen::Matrix3d& v = svd.matrixV();
    const Eigen::Vector3d s(1, 1, u.determinant() * v.determinant() < 0 ? -1 : 1);

    // Eq. (40).
    const Eigen::Matrix3d rotation = u * s.asDiagonal() * v.transpose();

    double scale = 1;
    if (scaling) {
        // Eq. (42), trace(D S) over the variance of the source (eq. (36)).
        const double relative = svd.singularValues().dot(s) / (x.shape.squaredNorm() / count);
        if (relative <= 16 * std::numeric_limits<double>::epsilon()) {
            throw_uncorrelated();
        }
        scale = relative * (y.size / x.size);
    }

    // Eq. (41).
    const Eigen::Matrix3d linear = scale * rotation;
    return Transform(linear, Eigen::Vector3d(y.centroid - linear * x.centroid));
}

}  // namespace rigidalign
