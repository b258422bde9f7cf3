"""DIP83x: the same dependencies, under the names of each index?"""

from __future__ import annotations

from collections.abc import Iterator

from diptych.compare.dependencies import DependencyRow, dependency_rows
from diptych.compare.model import Found, Severity, rule
from diptych.compare.names import brings_libraries
from diptych.compare.pairing import Pair
from diptych.compare.providers import library_rows
from diptych.compare.ranges import Relation, bounds_of_specifiers, bounds_of_specs, relation
from diptych.pythons import plain


@rule("DIP831", "dependency on one side only", Severity.ERROR)
def lonely_dependency(pair: Pair) -> Iterator[Found]:
    """One package asks for a project that the other does not.

    Why: where nothing else brings it, `import` fails for half of the users.

    Mend: name it in `project.dependencies` and under `run` of the recipe. Where only the name differs, tell the name map.

    Source: PEP 508; conda match specs.
    """
    libraries = _library_packages(pair)
    for row in _dependencies(pair):
        if row.runtime or (row.left and row.right):
            continue
        need = row.left or row.right
        if need is None or need.name in libraries:
            continue
        mine, other = pair.titles if row.left else pair.titles[::-1]
        yield Found(
            place=row.project,
            severity=Severity.DRIFT if brings_libraries(need.name) else None,
            message=f"{mine} asks for {' and '.join(need.texts)}, {other} does not",
        )


def _dependencies(pair: Pair) -> tuple[DependencyRow, ...]:
    """Return the rows where both sides can have dependencies at all."""
    return () if "folder" in {pair.left.kind, pair.right.kind} else dependency_rows(pair)


def _library_packages(pair: Pair) -> set[str]:
    """Return the conda packages that stand for libraries, which other rules tell (DIP812 to DIP815)."""
    return {
        provider.package
        for row in library_rows(pair)
        for provider in (row.left, row.right)
        if provider and provider.package
    }


@rule("DIP832", "dependencies of the format", Severity.EXPECTED)
def format_dependencies(pair: Pair) -> Iterator[Found]:
    """A conda package names the interpreter, compiler runtimes or libraries, which a wheel says otherwise.

    Why: a wheel's tag stands for interpreter and system, and grafted copies for libraries.

    Mend: nothing to mend.

    Source: PEP 425, PEP 600; conda's run_exports.
    """
    for row in _dependencies(pair):
        need = row.left or row.right
        if row.runtime and need and not (row.left and row.right):
            yield Found(place=need.name, message=" and ".join(need.texts), reason=row.runtime)


@rule("DIP833", "ranges contradict", Severity.ERROR)
def contradiction(pair: Pair) -> Iterator[Found]:
    """No version of a dependency satisfies both packages.

    Why: users of the two packages run against different versions of the dependency, and no environment can serve both.

    Mend: take both ranges from one place, `project.dependencies`.

    Source: PEP 440; conda version specs.
    """
    for row in _dependencies(pair):
        if row.relation is Relation.DISJOINT and row.left and row.right:
            yield Found(
                place=row.project,
                message=f"{row.left.bounds} | {row.right.bounds}: no version satisfies both",
            )


@rule("DIP834", "ranges differ", Severity.DRIFT)
def ranges_differ(pair: Pair) -> Iterator[Found]:
    """A dependency may have versions with one package that it may not have with the other.

    Why: a new release of the dependency reaches half of the users first. Often the narrower side is right: conda adds the
    bound under which the compiled code was linked (run_exports), the wheel's requirement was written by hand.

    Mend: give the wheel the same bounds, such as `numpy>=1.26,<3`.

    Source: PEP 440; conda's run_exports; NumPy, "For downstream package authors".
    """
    odd = {Relation.NARROWER_LEFT, Relation.NARROWER_RIGHT, Relation.OVERLAP}
    for row in _dependencies(pair):
        if row.relation in odd and row.left and row.right:
            yield Found(place=row.project, message=f"{row.left.bounds} | {row.right.bounds}")


@rule("DIP835", "Pythons contradict", Severity.ERROR)
def pythons(pair: Pair) -> Iterator[Found]:
    """The packages are for different Pythons, or one is for a Python that the other's bounds rule out.

    Why: both should install into the same environment; at most one does.

    Mend: `requires-python`, the wheel's tag and conda's `python` and `python_abi` come from one cell.

    Source: PEP 425, core metadata (Requires-Python); conda-forge's python_abi.
    """
    left, right = pair.left.identity, pair.right.identity
    if left.python and right.python and left.python != right.python:
        yield Found(message=f"Python {left.python} | {right.python}")
        return
    python = left.python or right.python
    for title, side in zip(pair.titles, (pair.left, pair.right), strict=True):
        bounds = side.identity.requires_python
        if not python or not bounds:
            continue
        made = bounds_of_specifiers if side.kind == "wheel" else bounds_of_specs
        try:
            version = plain(python)
            admitted = made([bounds]).admits(f"{version}.0") or made([bounds]).admits(f"{version}.99")
        except ValueError:
            continue
        if not admitted:
            yield Found(message=f"{title} rules out Python {python}, which both are for: {bounds}")
    if not python and left.requires_python and right.requires_python:
        sides = [
            bounds_of_specifiers([one.identity.requires_python])
            if one.kind == "wheel"
            else bounds_of_specs([one.identity.requires_python])
            for one in (pair.left, pair.right)
        ]
        if relation(sides[0], sides[1]) is Relation.DISJOINT:
            yield Found(message=f"{sides[0]} | {sides[1]}: no Python satisfies both")


@rule("DIP836", "extras", Severity.EXPECTED)
def extras(pair: Pair) -> Iterator[Found]:
    """Only a wheel has optional groups of dependencies.

    Why: conda packages have no extras (CEP 44 is accepted, but in no release of conda).

    Mend: nothing to mend; some projects make a second conda package for an extra.

    Source: PEP 508; CEP 44.
    """
    left, right = set(pair.left.identity.extras), set(pair.right.identity.extras)
    if left == right or "folder" in {pair.left.kind, pair.right.kind}:
        return
    same_kind = pair.left.kind == pair.right.kind
    yield Found(
        severity=Severity.DRIFT if same_kind else None,
        reason="two wheels of one version offer different extras" if same_kind else "",
        message=f"{', '.join(sorted(left)) or 'none'} | {', '.join(sorted(right)) or 'none'}",
    )
