#pragma once

struct __attribute__((visibility("default"))) Point {
    double x, y;
};
