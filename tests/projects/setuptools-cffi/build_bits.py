"""What cffi compiles."""

from cffi import FFI

builder = FFI()
builder.cdef("int popcount(unsigned long long value);")
builder.set_source(
    "popcounts._bits",
    "static int popcount(unsigned long long value) { int n = 0; for (; value; value &= value - 1) ++n; return n; }",
)
