import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup

setup(
    ext_modules=cythonize(
        [Extension("cumsums._sums", ["cumsums/_sums.pyx"], include_dirs=[numpy.get_include()])]
    )
)
