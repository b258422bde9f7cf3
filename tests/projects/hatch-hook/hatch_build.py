"""Compile the extension with setuptools and put it into the wheel."""

import os
import tempfile

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from setuptools import Distribution, Extension


class Hook(BuildHookInterface):
    """One extension module."""

    def initialize(self, version: str, build_data: dict) -> None:  # noqa: ARG002
        """Compile before the wheel is packed."""
        self.folder = tempfile.mkdtemp()
        distribution = Distribution(
            {"name": "primehook", "ext_modules": [Extension("primehook._sieve", ["sieve.cpp"], language="c++")]}
        )
        command = distribution.get_command_obj("build_ext")
        command.build_lib, command.build_temp = self.folder, os.path.join(self.folder, "objects")
        command.ensure_finalized()
        command.run()
        (built,) = command.get_outputs()
        build_data["force_include"][built] = os.path.relpath(built, self.folder)
        build_data["pure_python"], build_data["infer_tag"] = False, True
