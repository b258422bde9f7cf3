from setuptools import Extension, setup

setup(
    ext_modules=[Extension("_gcd", ["_gcd.c"])],
    py_modules=["fractional"],
    scripts=["gcd-of"],
    headers=["gcd.h"],
    data_files=[("share/fractional", ["primes.txt"])],
)
