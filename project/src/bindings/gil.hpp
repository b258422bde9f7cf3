#pragma once

#include <boost/python.hpp>

namespace rigidalign::bindings {

/// Lets other Python threads run for as long as it lives. Touch no Python object meanwhile.
class GilRelease {
public:
    GilRelease() : state_(PyEval_SaveThread()) {}
    ~GilRelease() { PyEval_RestoreThread(state_); }
    GilRelease(const GilRelease&) = delete;
    GilRelease& operator=(const GilRelease&) = delete;

private:
    PyThreadState* state_;
};

/// The result of `work`, which runs without the GIL. Exceptions pass through with the GIL held again.
template <typename Work>
auto without_gil(const Work& work) {
    const GilRelease release;
    return work();
}

}  // namespace rigidalign::bindings
