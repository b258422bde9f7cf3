#include <rigidalign/icp.hpp>

#include <rigidalign/error.hpp>
#include <rigidalign/kdtree.hpp>
#include <rigidalign/umeyama.hpp>
#include <rigidalign/validation.hpp>

#include "text.hpp"

#include <cmath>
#include <limits>
#include <utility>

namespace rigidalign {
namespace {

using detail::text;

constexpr double infinity = std::numeric_limits<double>::infinity();

/// For each source point the nearest target point under one transform.
struct Matching {
    std::vector<std::int64_t> indices;
    Eigen::Index pairs = 0;
    double rms = 0;
};

Matching match(
    const PointsView& source, const KdTree& tree, const Transform& transform, double max_distance) {
    const Points moved = transform.apply(source);
    Matching result;
    result.indices.reserve(static_cast<std::size_t>(moved.rows()));
    double sum = 0;
    for (Eigen::Index row = 0; row < moved.rows(); ++row) {
        const auto neighbour = tree.nearest(moved.row(row).transpose(), max_distance * max_distance);
        result.indices.push_back(neighbour.index);
        if (neighbour.index >= 0) {
            ++result.pairs;
            sum += neighbour.squared_distance;
        }
    }
    result.rms = std::sqrt(sum / static_cast<double>(result.pairs));
    return result;
}

/// The rows of both sides that have a partner.
struct Pairs {
    Pairs(const PointsView& source_points, const PointsView& target_points, const Matching& matching)
        : source(matching.pairs, 3), target(matching.pairs, 3) {
        Eigen::Index row = 0;
        for (std::size_t i = 0; i < matching.indices.size(); ++i) {
            if (matching.indices[i] >= 0) {
                source.row(row) = source_points.row(static_cast<Eigen::Index>(i));
                target.row(row) = target_points.row(matching.indices[i]);
                ++row;
            }
        }
    }

    Points source;
    Points target;
};

/// The best transform for the pairs.
Transform fit(const Pairs& pairs, const Transform& current, bool scaling) {
    // A start far off can pair everything with one point. That says nothing about the rotation, but the
    // translation it suggests brings the next iteration close.
    if (all_coincident(pairs.source) || all_coincident(pairs.target)) {
        const Eigen::Vector3d from = pairs.source.colwise().mean().transpose();
        const Eigen::Vector3d to = pairs.target.colwise().mean().transpose();
        return Transform(current.linear(), Eigen::Vector3d(to - current.linear() * from));
    }
    return umeyama(pairs.source, pairs.target, scaling);
}

void require_pairs(const Matching& matching, Eigen::Index needed, int iteration, double max_distance) {
    if (matching.pairs < needed) {
        throw TooFewCorrespondences(iteration, matching.pairs, needed, max_distance);
    }
}

void require_options(const IcpOptions& options) {
    if (options.max_iterations < 1) {
        throw InvalidArgument("max_iterations", "at least 1", text(options.max_iterations));
    }
    if (!(options.tolerance >= 0) || !std::isfinite(options.tolerance)) {
        throw InvalidArgument("tolerance", "a finite number that is not negative", text(options.tolerance));
    }
    if (options.max_distance && !(*options.max_distance > 0)) {
        throw InvalidArgument("max_distance", "a positive number", text(*options.max_distance));
    }
}

/// The root mean square distance of points from their centroid: the length that tolerances refer to.
double rms_radius(const PointsView& points) {
    const Eigen::RowVector3d centroid = points.colwise().mean();
    return std::sqrt((points.rowwise() - centroid).rowwise().squaredNorm().mean());
}

}  // namespace

IcpResult icp(const PointsView& source, const PointsView& target, const IcpOptions& options) {
    require_options(options);
    for (const auto& [points, name] : {std::pair(&source, "source"), std::pair(&target, "target")}) {
        require_count(*points, min_points, name);
        require_finite(*points, name);
        require_distinct(*points, name);
    }

    require_finite(options.initial.apply(source), "source under initial");

    const KdTree tree(target);
    const double max_distance = options.max_distance.value_or(infinity);
    const double least_change = options.tolerance * rms_radius(target);

    IcpResult result;
    result.transform = options.initial;
    Matching matching = match(source, tree, result.transform, max_distance);
    while (!result.converged && result.iterations < options.max_iterations) {
        require_pairs(matching, min_points, result.iterations, max_distance);
        result.transform = fit(Pairs(source, target, matching), result.transform, options.scaling);
        ++result.iterations;

        Matching next = match(source, tree, result.transform, max_distance);
        // The same pairs would give the same fit again: a fixed point, whatever the tolerance.
        result.converged =
            next.indices == matching.indices || std::abs(matching.rms - next.rms) <= least_change;
        matching = std::move(next);
    }
    require_pairs(matching, 1, result.iterations, max_distance);
    result.rms = matching.rms;
    result.correspondences = std::move(matching.indices);
    return result;
}

}  // namespace rigidalign
