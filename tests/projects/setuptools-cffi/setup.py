from setuptools import setup

setup(cffi_modules=["build_bits.py:builder"])
