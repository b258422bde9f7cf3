from setuptools import Extension, setup

setup(ext_modules=[Extension("_gcd", ["_gcd.c"])], py_modules=["fractional"])
