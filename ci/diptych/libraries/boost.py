"""Boost.Python and Boost.NumPy, compiled from Boost's source, in the packages that conda-forge has of them (boost-feedstock).

The sources are those of libs/python/CMakeLists.txt, and nothing else of Boost is compiled: both need headers alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from packaging.version import Version

from diptych.channel.cmeel_packages import same_minor
from diptych.channel.package import Package, PackageFile
from diptych.errors import ChannelError
from diptych.libraries.making import Installed, Making, files_below, text_file
from diptych.libraries.plan import DEVEL, HEADERS, PYTHON
from diptych.pythons import conda_depends

LICENCE = "LICENSE_1_0.txt"
# A release has all headers below boost/, the repository below libs/*/include (libs/numeric/conversion/include too).
_HEADER = re.compile(r"(?:libs/[^/]+(?:/(?!test|example|doc|tools)[^/]+)?/include/)?(boost/.+)")
_SOURCE = re.compile(r"libs/python/(src/.+\.cpp)")
_VERSION = re.compile(r"#define BOOST_VERSION (\d+)")

CMAKELISTS = """\
cmake_minimum_required(VERSION 3.21...3.31)
project(boost_python VERSION {version} LANGUAGES CXX)
find_package(Python COMPONENTS Interpreter Development.Module NumPy REQUIRED)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_SKIP_RPATH OFF)
set(CMAKE_INSTALL_RPATH "$ORIGIN")
file(GLOB_RECURSE python_sources CONFIGURE_DEPENDS "${{BOOST_TREE}}/src/*.cpp")
list(FILTER python_sources EXCLUDE REGEX "/src/numpy/")
file(GLOB numpy_sources CONFIGURE_DEPENDS "${{BOOST_TREE}}/src/numpy/*.cpp")
foreach(library python numpy)
  string(TOUPPER ${{library}} upper)
  add_library(boost_${{library}} SHARED ${{${{library}}_sources}})
  set_target_properties(boost_${{library}} PROPERTIES
    OUTPUT_NAME boost_${{library}}${{Python_VERSION_MAJOR}}${{Python_VERSION_MINOR}}
    VERSION {version} SOVERSION {version})
  target_include_directories(boost_${{library}} PRIVATE "${{BOOST_TREE}}/include")
  target_compile_definitions(boost_${{library}} PRIVATE
    BOOST_ALL_NO_LIB BOOST_PYTHON_DYN_LINK BOOST_NUMPY_DYN_LINK BOOST_${{upper}}_SOURCE)
  target_link_libraries(boost_${{library}} PRIVATE Python::Module)
  install(TARGETS boost_${{library}} LIBRARY DESTINATION lib)
endforeach()
target_link_libraries(boost_numpy PRIVATE boost_python Python::NumPy)
"""

# What find_package(Boost CONFIG) reads; the targets and variables are those of Boost's own BoostConfig.cmake.
CONFIG = """\
get_filename_component(_boost_prefix "${{CMAKE_CURRENT_LIST_DIR}}/../../.." ABSOLUTE)
set(Boost_VERSION {version})
set(Boost_VERSION_STRING {version})
set(Boost_VERSION_MACRO {macro})
set(Boost_LIB_VERSION {lib_version})
set(Boost_INCLUDE_DIRS "${{_boost_prefix}}/include")
set(Boost_LIBRARY_DIRS "${{_boost_prefix}}/lib")
set(Boost_LIBRARIES "")
if(NOT TARGET Boost::headers)
  add_library(Boost::headers INTERFACE IMPORTED)
  set_target_properties(Boost::headers PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${{Boost_INCLUDE_DIRS}}")
endif()
foreach(_target boost diagnostic_definitions disable_autolinking dynamic_linking)
  if(NOT TARGET Boost::${{_target}})
    add_library(Boost::${{_target}} INTERFACE IMPORTED)
    set_target_properties(Boost::${{_target}} PROPERTIES INTERFACE_LINK_LIBRARIES Boost::headers)
  endif()
endforeach()
foreach(_component IN LISTS Boost_FIND_COMPONENTS)
  string(TOUPPER "${{_component}}" _upper)
  set(_library "${{_boost_prefix}}/lib/libboost_${{_component}}.so")
  if(_component MATCHES "^(python|numpy)$")
    file(GLOB _library "${{_boost_prefix}}/lib/libboost_${{_component}}[0-9]*.so")
  endif()
  if(_component STREQUAL "headers")
    set(Boost_${{_component}}_FOUND TRUE)
  elseif(EXISTS "${{_library}}")
    if(NOT TARGET Boost::${{_component}})
      add_library(Boost::${{_component}} SHARED IMPORTED)
      set_target_properties(Boost::${{_component}} PROPERTIES
        IMPORTED_LOCATION "${{_library}}"
        INTERFACE_COMPILE_DEFINITIONS "BOOST_PYTHON_NO_LIB;BOOST_PYTHON_DYN_LINK;BOOST_NUMPY_NO_LIB;BOOST_NUMPY_DYN_LINK"
        INTERFACE_LINK_LIBRARIES Boost::headers)
      if(_component MATCHES "^numpy(.*)$" AND EXISTS "${{_boost_prefix}}/lib/libboost_python${{CMAKE_MATCH_1}}.so")
        set_target_properties(Boost::${{_component}} PROPERTIES
          IMPORTED_LINK_DEPENDENT_LIBRARIES "${{_boost_prefix}}/lib/libboost_python${{CMAKE_MATCH_1}}.so")
      endif()
    endif()
    set(Boost_${{_component}}_FOUND TRUE)
    set(Boost_${{_upper}}_FOUND TRUE)
    list(APPEND Boost_LIBRARIES Boost::${{_component}})
  else()
    set(Boost_${{_component}}_FOUND FALSE)
    if(Boost_FIND_REQUIRED_${{_component}})
      set(Boost_FOUND FALSE)
      set(Boost_NOT_FOUND_MESSAGE "This Boost was compiled for one cell and has Boost.Python and Boost.NumPy alone, not ${{_component}}")
    endif()
  endif()
endforeach()
"""
CONFIG_VERSION = """\
set(PACKAGE_VERSION {version})
if(PACKAGE_FIND_VERSION VERSION_LESS_EQUAL PACKAGE_VERSION)
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
  if(PACKAGE_FIND_VERSION VERSION_EQUAL PACKAGE_VERSION)
    set(PACKAGE_VERSION_EXACT TRUE)
  endif()
endif()
"""


def select(name: str) -> str | None:
    """Return where a file of Boost's source goes: headers below ``include/``, sources below ``src/``."""
    if header := _HEADER.fullmatch(name):
        return f"include/{header[1]}"
    source = _SOURCE.fullmatch(name)
    return source[1] if source else name if name == LICENCE else None


def version_of(tree: Path) -> str:
    """Return the version that the headers state.

    Raises:
        ChannelError: they are no whole Boost.
    """
    try:
        found = _VERSION.search((tree / "include/boost/version.hpp").read_text(encoding="utf-8"))
    except OSError:
        found = None
    if found is None or not (tree / "src/module.cpp").is_file():
        raise ChannelError(
            "what the table names is not the source of Boost: boost/version.hpp and libs/python/src are not both in it",
            hint='[tool.diptych.libraries.boost] source = "…" takes a release of Boost, its archive or its folder',
        )
    return _dotted(int(found[1]))


def cmakelists(version: str) -> str:
    """Return the CMakeLists.txt that compiles both libraries."""
    return CMAKELISTS.format(version=version)


def headers(making: Making) -> Package:
    """Return the package of all headers."""
    return _package(HEADERS, making, build="h{hash}_0", files=files_below(making.tree, "include"))


def packages(making: Making, installed: Installed) -> Iterator[Package]:
    """Yield the packages of the libraries and of what compiles against them."""
    build = f"py{making.python.replace('.', '')}_{making.abi}_h{{hash}}_0"
    mine = f"*_{making.abi}_*"
    version = making.version
    python = conda_depends(making.python)
    yield _package(
        PYTHON,
        making,
        build=build,
        files=[file for file in installed.files if ".so." in file.path],
        depends=(*python, _numpy_range(installed.numpy)),
        constrains=("py-boost <0.0a0",),
    )
    yield _package(
        DEVEL,
        making,
        build=build,
        files=[*(file for file in installed.files if file.path.endswith(".so")), *_config(version)],
        depends=(f"{HEADERS} =={version}", f"{PYTHON} =={version} {mine}", "numpy", *python),
        # Its own CMake files would lie where these are.
        constrains=("libboost-devel <0.0a0",),
        run_export=f"{same_minor(PYTHON, Version(version))} {mine}",
    )


def _package(
    name: str,
    making: Making,
    *,
    build: str,
    files: list[PackageFile],
    depends: tuple[str, ...] = (),
    constrains: tuple[str, ...] = (),
    run_export: str = "",
) -> Package:
    licence = making.tree / LICENCE
    return Package(
        name=name,
        version=making.version,
        build=build,
        subdir=making.subdir,
        depends=depends,
        constrains=constrains,
        run_exports={"weak": (run_export,)} if run_export else {},
        license="BSL-1.0",
        licenses={LICENCE: licence.read_bytes()} if licence.is_file() else {},
        summary="Free peer-reviewed portable C++ source libraries",
        origin=making.origin,
        files=files,
    )


def _config(version: str) -> Iterator[PackageFile]:
    major, minor, patch = map(int, version.split("."))
    folder = f"lib/cmake/Boost-{version}"
    lib_version = f"{major}_{minor}" + (f"_{patch}" if patch else "")
    macro = major * 100000 + minor * 100 + patch
    yield text_file(
        f"{folder}/BoostConfig.cmake",
        CONFIG.format(version=version, macro=macro, lib_version=lib_version),
    )
    yield text_file(f"{folder}/BoostConfigVersion.cmake", CONFIG_VERSION.format(version=version))


def _numpy_range(version: str) -> str:
    """Return NumPy's own promise: what was compiled against 2 runs with 1.23 and later, what was against 1 with that and later 1."""
    return "numpy >=1.23,<3" if int(version.split(".", maxsplit=1)[0]) > 1 else f"numpy >={version},<2.0a0"


def _dotted(number: int) -> str:
    return f"{number // 100000}.{number // 100 % 1000}.{number % 100}"
