from setuptools import Extension, setup

setup(
    packages=["planted"],
    package_dir={"": "python"},
    ext_modules=[Extension("planted._core", ["src/planted.cpp"], language="c++")],
)
