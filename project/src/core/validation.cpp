#include <rigidalign/validation.hpp>

#include <rigidalign/error.hpp>

#include "text.hpp"

#include <cmath>
#include <limits>

namespace rigidalign {

using detail::text;

void require_finite(const PointsView& points, const std::string& name) {
    for (Eigen::Index row = 0; row < points.rows(); ++row) {
        for (Eigen::Index column = 0; column < 3; ++column) {
            const double value = points(row, column);
            const auto place = [&] { return text(value, " in row ", row, ", column ", column); };
            if (!std::isfinite(value)) {
                throw InvalidArgument(name, "finite coordinates", place());
            }
            if (std::abs(value) > max_coordinate) {
                throw InvalidArgument(name, text("coordinates of at most ", max_coordinate), place());
            }
        }
    }
}

void require_count(const PointsView& points, Eigen::Index minimum, const std::string& name) {
    if (points.rows() < minimum) {
        throw InvalidArgument(
            name, text("at least ", minimum, minimum == 1 ? " point" : " points"), text(points.rows()));
    }
}

void require_paired(const PointsView& source, const PointsView& target) {
    if (source.rows() != target.rows()) {
        throw InvalidArgument(
            "target", text("as many points as source has (", source.rows(), ")"), text(target.rows()));
    }
}

bool all_coincident(const PointsView& points) {
    // Differences from the first point are exactly zero for equal points; the centroid would be rounded.
    const double spread = (points.rowwise() - points.row(0)).cwiseAbs().maxCoeff();
    const double rounding = 16 * std::numeric_limits<double>::epsilon() * points.cwiseAbs().maxCoeff();
    return spread <= rounding;
}

void require_distinct(const PointsView& points, const std::string& name) {
    if (all_coincident(points)) {
        throw DegenerateInput(
            name, "at least two distinct points", text(points.rows(), " points that all coincide"));
    }
}

}  // namespace rigidalign
