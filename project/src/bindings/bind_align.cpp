#include "arrays.hpp"
#include "bindings.hpp"
#include "gil.hpp"

#include <rigidalign/icp.hpp>
#include <rigidalign/kdtree.hpp>
#include <rigidalign/umeyama.hpp>
#include <rigidalign/validation.hpp>

#include <cmath>

namespace rigidalign::bindings {
namespace {

Transform umeyama_(const bp::object& source, const bp::object& target, bool scaling) {
    const Points from = to_points(source, "source");
    const Points to = to_points(target, "target");
    return without_gil([&] { return umeyama(from, to, scaling); });
}

bp::tuple icp_(
    const bp::object& source, const bp::object& target, const Transform& initial, int max_iterations,
    double tolerance, const bp::object& max_distance, bool scaling) {
    const Points from = to_points(source, "source");
    const Points to = to_points(target, "target");
    IcpOptions options;
    options.initial = initial;
    options.max_iterations = max_iterations;
    options.tolerance = tolerance;
    options.scaling = scaling;
    if (!max_distance.is_none()) {
        options.max_distance = bp::extract<double>(max_distance)();
    }
    const IcpResult result = without_gil([&] { return icp(from, to, options); });
    return bp::make_tuple(
        result.transform, result.rms, result.iterations, result.converged, to_vector(result.correspondences));
}

struct Neighbours {
    std::vector<std::int64_t> indices;
    Eigen::VectorXd distances;
};

Neighbours find_neighbours(const Points& points, const Points& queries) {
    require_count(queries, 1, "queries");
    require_finite(queries, "queries");
    const KdTree tree(points);
    Neighbours result;
    result.indices.reserve(static_cast<std::size_t>(queries.rows()));
    result.distances.resize(queries.rows());
    for (Eigen::Index row = 0; row < queries.rows(); ++row) {
        const auto neighbour = tree.nearest(queries.row(row).transpose());
        result.indices.push_back(neighbour.index);
        result.distances[row] = std::sqrt(neighbour.squared_distance);
    }
    return result;
}

bp::tuple nearest_(const bp::object& points, const bp::object& queries) {
    const Points known = to_points(points, "points");
    const Points sought = to_points(queries, "queries");
    const Neighbours result = without_gil([&] { return find_neighbours(known, sought); });
    return bp::make_tuple(to_vector(result.indices), to_vector(result.distances));
}

}  // namespace

// The Python side (_api.py) has the defaults and the documentation.
void bind_align() {
    bp::def("umeyama", &umeyama_, (bp::arg("source"), bp::arg("target"), bp::arg("scaling")));
    bp::def(
        "icp", &icp_,
        (bp::arg("source"), bp::arg("target"), bp::arg("initial"), bp::arg("max_iterations"),
         bp::arg("tolerance"), bp::arg("max_distance"), bp::arg("scaling")));
    bp::def("nearest", &nearest_, (bp::arg("points"), bp::arg("queries")));
}

}  // namespace rigidalign::bindings
