"""Compile the extension beside its package, where Poetry picks it up."""

from setuptools import Distribution, Extension

distribution = Distribution({"name": "rot13script", "ext_modules": [Extension("rot13script._rot", ["rot.c"])]})
command = distribution.get_command_obj("build_ext")
command.inplace = True
command.ensure_finalized()
command.run()
