#pragma once

#include <rigidalign/export.hpp>
#include <rigidalign/points.hpp>

#include <cstdint>
#include <limits>
#include <vector>

namespace rigidalign {

/// A static k-d tree over 3-D points for exact nearest-neighbour queries.
///
/// Copies the points; thread-safe once built. Of several equally near points, the lowest index wins, so the
/// answers do not depend on how the tree happened to be cut.
class RIGIDALIGN_API KdTree {
public:
    struct Neighbour {
        std::int64_t index = -1;  ///< row of the point, or -1 if none is near enough
        double squared_distance = std::numeric_limits<double>::infinity();
    };

    /// Throws InvalidArgument (naming `points`) for no points at all.
    explicit KdTree(const PointsView& points);

    /// The point nearest to the query, among those no farther than sqrt(max_squared_distance).
    [[nodiscard]] Neighbour nearest(
        const Eigen::Vector3d& query,
        double max_squared_distance = std::numeric_limits<double>::infinity()) const;

private:
    struct Node {
        double split = 0;
        std::int32_t axis = leaf;
        std::int64_t begin = 0, end = 0;  // the entries below this node
        std::int64_t right = 0;           // its right child; the left one is the next node
    };
    struct Entry {
        Eigen::Vector3d point;
        std::int64_t index;
    };
    static constexpr std::int32_t leaf = -1;

    void build(std::int64_t begin, std::int64_t end);
    void search(std::int64_t node, const Eigen::Vector3d& query, Neighbour& best) const;
    [[nodiscard]] int widest_axis(std::int64_t begin, std::int64_t end) const;

    std::vector<Entry> entries_;
    std::vector<Node> nodes_;
};

}  // namespace rigidalign
