#include <rigidalign/kdtree.hpp>

#include <rigidalign/validation.hpp>

#include <algorithm>

namespace rigidalign {
namespace {

constexpr std::int64_t leaf_size = 12;

}  // namespace

KdTree::KdTree(const PointsView& points) {
    require_count(points, 1, "points");
    require_finite(points, "points");
    entries_.reserve(static_cast<std::size_t>(points.rows()));
    for (Eigen::Index row = 0; row < points.rows(); ++row) {
        entries_.push_back({points.row(row).transpose(), row});
    }
    nodes_.reserve(entries_.size() / (leaf_size / 4) + 1);
    build(0, static_cast<std::int64_t>(entries_.size()));
}

int KdTree::widest_axis(std::int64_t begin, std::int64_t end) const {
    Eigen::Vector3d low = entries_[begin].point;
    Eigen::Vector3d high = low;
    for (std::int64_t i = begin + 1; i < end; ++i) {
        low = low.cwiseMin(entries_[i].point);
        high = high.cwiseMax(entries_[i].point);
    }
    int axis = 0;
    (high - low).maxCoeff(&axis);
    return axis;
}

// Cuts at the median entry, not the median value: equal coordinates cannot make the tree deep.
void KdTree::build(std::int64_t begin, std::int64_t end) {
    const std::size_t self = nodes_.size();
    nodes_.emplace_back();
    nodes_[self].begin = begin;
    nodes_[self].end = end;
    if (end - begin <= leaf_size) {
        return;
    }
    const int axis = widest_axis(begin, end);
    const std::int64_t middle = begin + (end - begin) / 2;
    std::nth_element(
        entries_.begin() + begin, entries_.begin() + middle, entries_.begin() + end,
        [axis](const Entry& a, const Entry& b) { return a.point[axis] < b.point[axis]; });
    nodes_[self].axis = axis;
    nodes_[self].split = entries_[middle].point[axis];
    build(begin, middle);
    nodes_[self].right = static_cast<std::int64_t>(nodes_.size());
    build(middle, end);
}

KdTree::Neighbour KdTree::nearest(const Eigen::Vector3d& query, double max_squared_distance) const {
    Neighbour best;
    best.squared_distance = max_squared_distance;
    search(0, query, best);
    return best.index < 0 ? Neighbour{} : best;
}

void KdTree::search(std::int64_t index, const Eigen::Vector3d& query, Neighbour& best) const {
    const Node& node = nodes_[index];
    if (node.axis == leaf) {
        for (std::int64_t i = node.begin; i < node.end; ++i) {
            const Entry& entry = entries_[i];
            const double distance = (entry.point - query).squaredNorm();
            const bool tie = distance == best.squared_distance;
            if (distance < best.squared_distance || (tie && (best.index < 0 || entry.index < best.index))) {
                best = {entry.index, distance};
            }
        }
        return;
    }
    const double offset = query[node.axis] - node.split;
    const std::int64_t left = index + 1;
    search(offset < 0 ? left : node.right, query, best);
    // "<=" and not "<": an equally near point with a lower index may lie on the other side.
    if (offset * offset <= best.squared_distance) {
        search(offset < 0 ? node.right : left, query, best);
    }
}

}  // namespace rigidalign
