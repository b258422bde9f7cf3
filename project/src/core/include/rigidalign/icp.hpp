#pragma once

#include <rigidalign/export.hpp>
#include <rigidalign/points.hpp>
#include <rigidalign/transform.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace rigidalign {

struct IcpOptions {
    Transform initial;                   ///< where to start
    int max_iterations = 50;             ///< at least 1
    double tolerance = 1e-8;             ///< least change of the RMS distance worth another iteration,
                                         ///< in units of the target's RMS radius
    std::optional<double> max_distance;  ///< pairs farther apart are left out
    bool scaling = false;                ///< seek the scale too
};

struct IcpResult {
    Transform transform;
    double rms = 0;       ///< root mean square distance of the pairs under `transform`
    int iterations = 0;   ///< number of fits made
    bool converged = false;
    std::vector<std::int64_t> correspondences;  ///< for each source point its target point, -1 for none
};

/// Point-to-point iterative closest point: pair each source point with the nearest target point, fit, repeat.
///
/// P. J. Besl and N. D. McKay, "A method for registration of 3-D shapes", IEEE PAMI 14(2), 1992,
/// doi:10.1109/34.121791. Finds a local optimum: a start that is far off leads to a wrong one.
///
/// Throws InvalidArgument, DegenerateInput or TooFewCorrespondences.
RIGIDALIGN_API IcpResult icp(
    const PointsView& source, const PointsView& target, const IcpOptions& options = {});

}  // namespace rigidalign
