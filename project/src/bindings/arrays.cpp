#include "arrays.hpp"

#include <rigidalign/error.hpp>

#include <algorithm>

namespace rigidalign::bindings {
namespace {

std::string type_name(const bp::object& object) { return Py_TYPE(object.ptr())->tp_name; }

std::string as_string(const bp::object& object) { return bp::extract<std::string>(bp::str(object)); }

std::string shape_of(const np::ndarray& array) { return "shape " + as_string(array.attr("shape")); }

/// Whatever NumPy makes of the object, without a conversion of its elements.
np::ndarray as_array(const bp::object& object, const std::string& name) {
    try {
        return np::from_object(object);
    } catch (const bp::error_already_set&) {
        if (!PyErr_ExceptionMatches(PyExc_ValueError)) {
            throw;
        }
        PyErr_Clear();  // "inhomogeneous shape", which would not name the argument
    }
    throw InvalidArgument(name, "a rectangular array of real numbers", "a ragged " + type_name(object));
}

/// As float64. Integers and floats only: what a complex number, a truth value or a string would mean as a
/// coordinate is not for this library to guess.
np::ndarray as_real_array(const bp::object& object, const std::string& name) {
    const np::ndarray array = as_array(object, name);
    const np::dtype dtype = array.get_dtype();
    const std::string kind = as_string(dtype.attr("kind"));
    if (kind != "i" && kind != "u" && kind != "f") {
        throw InvalidArgument(
            name, "an array of real numbers",
            "dtype " + as_string(dtype) + " (from a " + type_name(object) + ")");
    }
    return array.astype(np::dtype::get_builtin<double>());
}

bool has_shape(const np::ndarray& array, Py_intptr_t rows, Py_intptr_t columns) {
    return array.get_nd() == 2 && array.shape(0) == rows && array.shape(1) == columns;
}

/// The elements of a two-dimensional float64 array, whatever its strides.
template <typename Matrix>
Matrix copy_elements(const np::ndarray& array) {
    using Strides = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
    using View = Eigen::Map<const RowMajorMatrix, Eigen::Unaligned, Strides>;
    constexpr auto width = static_cast<Py_intptr_t>(sizeof(double));
    const Strides strides(array.strides(0) / width, array.strides(1) / width);
    const auto* data = reinterpret_cast<const double*>(array.get_data());
    return View(data, array.shape(0), array.shape(1), strides);
}

Points copy_points(const np::ndarray& array, const std::string& name, const std::string& expected) {
    if (array.get_nd() != 2 || array.shape(1) != 3) {
        throw InvalidArgument(name, expected, shape_of(array));
    }
    return copy_elements<Points>(array);
}

template <typename T>
np::ndarray new_vector(const T* data, std::size_t size) {
    const Py_intptr_t shape[] = {static_cast<Py_intptr_t>(size)};
    np::ndarray result = np::empty(1, shape, np::dtype::get_builtin<T>());
    std::copy_n(data, size, reinterpret_cast<T*>(result.get_data()));
    return result;
}

}  // namespace

Points to_points(const bp::object& object, const std::string& name) {
    return copy_points(as_real_array(object, name), name, "an array of shape (N, 3)");
}

PointsArgument to_points_or_point(const bp::object& object, const std::string& name) {
    const np::ndarray array = as_real_array(object, name);
    const bool single = array.get_nd() == 1 && array.shape(0) == 3;
    const np::ndarray rows = single ? array.reshape(bp::make_tuple(1, 3)) : array;
    return {copy_points(rows, name, "an array of shape (N, 3) or (3,)"), single};
}

Eigen::Matrix4d to_matrix(const bp::object& object, const std::string& name) {
    const np::ndarray array = as_real_array(object, name);
    if (!has_shape(array, 4, 4)) {
        throw InvalidArgument(name, "an array of shape (4, 4)", shape_of(array));
    }
    return copy_elements<Eigen::Matrix4d>(array);
}

np::ndarray to_array(const Eigen::Ref<const RowMajorMatrix>& matrix) {
    const Py_intptr_t shape[] = {matrix.rows(), matrix.cols()};
    np::ndarray result = np::empty(2, shape, np::dtype::get_builtin<double>());
    auto* data = reinterpret_cast<double*>(result.get_data());
    Eigen::Map<RowMajorMatrix>(data, matrix.rows(), matrix.cols()) = matrix;
    return result;
}

np::ndarray to_vector(const Eigen::Ref<const Eigen::VectorXd>& vector) {
    return new_vector(vector.data(), static_cast<std::size_t>(vector.size()));
}

np::ndarray to_vector(const std::vector<std::int64_t>& values) {
    return new_vector(values.data(), values.size());
}

}  // namespace rigidalign::bindings
