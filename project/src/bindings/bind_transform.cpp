#include "arrays.hpp"
#include "bindings.hpp"
#include "gil.hpp"

#include <rigidalign/transform.hpp>
#include <rigidalign/validation.hpp>

#include <memory>

namespace rigidalign::bindings {
namespace {

using TransformPtr = std::shared_ptr<Transform>;

TransformPtr construct(const bp::object& matrix) {
    if (matrix.is_none()) {
        return std::make_shared<Transform>();
    }
    return std::make_shared<Transform>(to_matrix(matrix, "matrix"));
}

bp::object not_implemented() { return bp::object(bp::handle<>(bp::borrowed(Py_NotImplemented))); }

np::ndarray matrix(const Transform& self) { return to_array(self.matrix()); }

np::ndarray rotation(const Transform& self) { return to_array(self.rotation()); }

np::ndarray translation(const Transform& self) { return to_vector(self.translation()); }

np::ndarray apply(const Transform& self, const bp::object& object) {
    const PointsArgument argument = to_points_or_point(object, "points");
    const Points result = without_gil([&] {
        require_count(argument.points, 1, "points");
        require_finite(argument.points, "points");
        return self.apply(argument.points);
    });
    return argument.single ? to_vector(result.row(0).transpose()) : to_array(result);
}

Transform compose(const Transform& self, const bp::object& other) {
    const bp::extract<const Transform&> transform(other);
    if (!transform.check()) {
        PyErr_Format(
            PyExc_TypeError, "other: expected a Transform, got %.200s", Py_TYPE(other.ptr())->tp_name);
        bp::throw_error_already_set();
    }
    return self.compose(transform());
}

bp::object matmul(const Transform& self, const bp::object& other) {
    const bp::extract<const Transform&> transform(other);
    return transform.check() ? bp::object(self.compose(transform())) : not_implemented();
}

bp::object equal(const Transform& self, const bp::object& other) {
    const bp::extract<const Transform&> transform(other);
    return transform.check() ? bp::object(self == transform()) : not_implemented();
}

Py_ssize_t hash(const Transform& self) { return static_cast<Py_ssize_t>(self.hash()); }

bp::object repr(const Transform& self) {
    return bp::str("Transform(%r)") % bp::make_tuple(matrix(self).attr("tolist")());
}

bp::object reduce(const bp::object& self) {
    return bp::make_tuple(self.attr("__class__"), bp::make_tuple(self.attr("matrix")));
}

}  // namespace

void bind_transform() {
    bp::class_<Transform> type(
        "Transform",
        "A similarity of 3-D space that keeps handedness: x -> scale * rotation @ x + translation.\n\n"
        "Immutable and hashable; two transforms are equal exactly when their matrices are.",
        bp::no_init);
    type.def(
            "__init__",
            bp::make_constructor(
                &construct, bp::default_call_policies(), (bp::arg("matrix") = bp::object())),
            "From a (4, 4) similarity matrix, or the identity. A linear part that is a rotation times a\n"
            "positive scale only to within 1e-6 (single precision) is replaced by the nearest exact one.")
        .add_property("matrix", &matrix, "The (4, 4) matrix, as a new array.")
        .add_property("rotation", &rotation, "The (3, 3) rotation matrix, as a new array.")
        .add_property("translation", &translation, "The translation, as a new array of shape (3,).")
        .add_property("scale", &Transform::scale, "The scale, a positive float.")
        .def("apply", &apply, (bp::arg("self"), bp::arg("points")),
             "The transformed points, in the shape of `points`: (N, 3) or (3,).")
        .def("inverse", &Transform::inverse, "The transform that undoes this one.")
        .def("compose", &compose, (bp::arg("self"), bp::arg("other")),
             "The transform that applies `other` first and then this one; the same as self @ other.")
        .def("__matmul__", &matmul)
        .def("__eq__", &equal)
        .def("__hash__", &hash)
        .def("__repr__", &repr)
        .def("__reduce__", &reduce);
    type.setattr("__module__", "rigidalign");
    // Without it, `array @ transform` would have NumPy treat the transform as an array of one object.
    type.setattr("__array_ufunc__", bp::object());
}

}  // namespace rigidalign::bindings
