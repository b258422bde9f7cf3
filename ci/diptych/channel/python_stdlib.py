"""Undo what distributions change in the standard library: where modules are looked for and installed.

Debian: ``dist-packages`` and the schemes ``deb_system`` and ``posix_local``; ensurepip refuses outside virtual
environments (https://wiki.debian.org/Python). Fedora: ``/usr/local`` unless an RPM is being built
(https://fedoraproject.org/wiki/Changes/Making_sudo_pip_safe), and ``lib64``. A file without such marks stays as it is.
"""

from __future__ import annotations

import ast
import re

from diptych.errors import ChannelError

_SCHEMES = """\
def _get_preferred_schemes():
    return {"prefix": "posix_prefix", "home": "posix_home", "user": "posix_user"}
"""
_NO_CHECK = """\
def _ensurepip_is_disabled_in_debian_for_system():
    pass
"""
_DROP_SCHEMES = """
for _name in ("deb_system", "posix_local", "rpm_prefix"):
    _INSTALL_SCHEMES.pop(_name, None)
del _name
"""
_RPM = re.compile(r"""(["'])RPM_BUILD_ROOT\1 not in os\.environ""")
_MARKS = ("dist-packages", "deb_system", "rpm_prefix", "RPM_BUILD_ROOT", "_ensurepip_is_disabled_in_debian")
# The files that choose places; every other one of the standard library asks them.
CHOOSING = (
    "sysconfig.py",
    "sysconfig/__init__.py",
    "ensurepip/__init__.py",
    "distutils/sysconfig.py",
    "distutils/command/install.py",
)


def restored(module: str, text: str, *, platlibdir: str) -> str:
    """Return a module of the standard library as its authors' layout has it.

    Args:
        module: its path below the standard library; one of :data:`CHOOSING`.
        text: what stands there.
        platlibdir: ``sys.platlibdir`` of the interpreter.

    Raises:
        ChannelError: what came out is no Python: a distribution's change of an unknown form.
    """
    other_lib = platlibdir != "lib"
    if not other_lib and not any(mark in text for mark in _MARKS):
        return text
    changed = _RPM.sub("False", text)
    if module.startswith("sysconfig"):
        changed = _with_function(changed, _SCHEMES) + _DROP_SCHEMES
        changed = changed.replace("sys.platlibdir", '"lib"') if other_lib else changed
    elif module.startswith("ensurepip"):
        changed = _with_function(changed, _NO_CHECK)
    elif module == "distutils/sysconfig.py":
        changed = re.sub(
            r"^( +)is_default_prefix = .*$", r"\1is_default_prefix = False", changed, flags=re.MULTILINE
        )
    else:
        changed = changed.replace('self.select_scheme("unix_local")', 'self.select_scheme("unix_prefix")')
    _check(module, changed)
    return changed


def _with_function(text: str, new: str) -> str:
    """Replace the module's function of the same name, if it has one."""
    (wanted,) = (node.name for node in ast.parse(new).body if isinstance(node, ast.FunctionDef))
    lines = text.splitlines(keepends=True)
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name == wanted:
            return "".join([*lines[: node.lineno - 1], new, *lines[node.end_lineno :]])
    return text


def _check(module: str, text: str) -> None:
    try:
        ast.parse(text)
    except SyntaxError as error:
        raise ChannelError(
            f'the standard library\'s "{module}" has changes of its distribution that Diptych does not know: {error}',
            hint="pack a Python of its own prefix instead: `uv python install` or `pyenv install`",
        ) from error
