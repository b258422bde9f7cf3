from setuptools import Extension, setup

setup(ext_modules=[Extension("_top", ["top.c"]), Extension("beta.inner._low", ["low.c"])])
