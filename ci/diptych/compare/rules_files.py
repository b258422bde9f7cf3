"""DIP82x: the same files, in the places where each format keeps them?"""

from __future__ import annotations

from collections.abc import Iterator

from diptych.compare.model import Found, Severity, rule
from diptych.compare.pairing import FilePair, Pair, State
from diptych.compare.providers import sibling_projects
from diptych.compare.side import SideFile

_APART = {"metadata", "licence", "bytecode", "grafted"}
# Where conda-build and rattler-build put what a recipe's tests need.
_FOR_COMPILING = tuple(
    f"$PREFIX/{name}/" for name in ("include", "lib/cmake", "lib/pkgconfig", "share/pkgconfig")
)
_CONDA_TESTS = "$PREFIX/etc/conda/test-files/"
_INSTALLER = {
    "RECORD",
    "WHEEL",
    "INSTALLER",
    "REQUESTED",
    "direct_url.json",
    "top_level.txt",
    "RECORD.jws",
    "zip-safe",
}


def _lonely(pair: Pair) -> Iterator[tuple[FilePair, SideFile, str, str]]:
    """Yield the files of one side alone, with the titles of that side and of the other."""
    left, right = pair.titles
    for one in pair.files:
        if one.state is State.ONLY_LEFT and one.left:
            yield one, one.left, left, right
        elif one.state is State.ONLY_RIGHT and one.right:
            yield one, one.right, right, left


def _is_entry_script(pair: Pair, file: SideFile) -> bool:
    """Tell whether an installer writes this script from an entry point."""
    name = file.place.rpartition("/")[2]
    points = {*pair.left.identity.entry_points, *pair.right.identity.entry_points}
    return file.role == "script" and any(
        f"{group}:{name}" in points for group in ("console_scripts", "gui_scripts")
    )


@rule("DIP821", "file on one side only", Severity.ERROR)
def lonely_file(pair: Pair) -> Iterator[Found]:
    """A module, binary, script, header or data file is in one of the packages only.

    Why: users of the other package miss it.

    Mend: install it with CMake (`install(…)`), so that it is in the stage; do not copy files in the recipe.

    Source: PEP 427; CEP 34.
    """
    tests = [one for one, *_ in _lonely(pair) if one.place.startswith(_CONDA_TESTS)]
    if tests:
        yield Found(
            place=_CONDA_TESTS.rstrip("/"),
            severity=Severity.EXPECTED,
            reason="a conda package carries the files of its recipe's tests",
            message=f"{len(tests)} files for the recipe's tests",
        )
    beside = _beside_site_packages(pair)
    if beside:
        yield Found(
            place="$PREFIX",
            severity=Severity.EXPECTED,
            reason="a wheel has site-packages, programs, and the libraries that these need",
            message=f"{len(beside)} files outside of site-packages are in the conda package alone",
            evidence=tuple(one.place for one in beside),
        )
    for one, file, mine, other in _lonely(pair):
        if (
            one in tests
            or one in beside
            or one.role in _APART
            or _is_entry_script(pair, file)
            or (file.link and _linked_to_own(pair, file))
        ):
            continue
        yield Found(place=one.place, message=f"in {mine}, not in {other}")


def _beside_site_packages(pair: Pair) -> list[FilePair]:
    """Return what a wheel does not take: what a stage that is a whole prefix has outside of site-packages.

    Of packages that were not built here, the files for those who compile against a library are taken for it.
    """
    if (pair.left.kind, pair.right.kind) != ("wheel", "conda"):
        return []
    there = pair.outside if pair.stage is None else pair.stage.files.keys()
    return [
        one
        for one, *_ in _lonely(pair)
        if one.state is State.ONLY_RIGHT
        and (one.place in there or (not pair.one_build and _for_compiling(one)))
        and one.place.startswith("$PREFIX/")
        and not one.place.startswith("$PREFIX/bin/")
    ]


def _for_compiling(one: FilePair) -> bool:
    """Tell a header, a CMake or pkg-config file, and the link that a linker asks for (``libx.so``)."""
    if one.place.startswith(_FOR_COMPILING):
        return True
    linked = one.right is not None and bool(one.right.link)
    return linked and one.place.startswith("$PREFIX/lib/lib") and one.place.endswith((".so", ".dylib"))


def _linked_to_own(pair: Pair, file: SideFile) -> bool:
    """Tell whether a link leads to a file that both sides have."""
    folder = file.place.rpartition("/")[0]
    target = f"{folder}/{file.link}" if folder else str(file.link)
    return any(one.place == target and one.left and one.right for one in pair.files)


@rule("DIP822", "file differs", Severity.ERROR)
def file_differs(pair: Pair) -> Iterator[Found]:
    """A file that is no binary does not have the same contents.

    Why: the two packages behave differently, or one was made from another state of the sources.

    Mend: pack both from one stage.

    Source: both packages are made from one compile (docs/explanation/architecture.md).
    """
    for one in pair.files:
        if (
            one.state is not State.DIFFERENT
            or one.role in {*_APART, "binary"}
            or not (one.left and one.right)
        ):
            continue
        if one.left.body == one.right.body or one.left.link or one.right.link:
            continue  # DIP828, DIP829
        yield Found(
            place=one.place,
            severity=None if pair.one_build and not _placeholder(one) else Severity.DRIFT,
            reason="conda writes the prefix into it when it is installed" if _placeholder(one) else "",
            message=f"contents differ: {one.left.size} | {one.right.size} bytes",
        )


def _placeholder(one: FilePair) -> bool:
    return any(side.placeholder for side in (one.left, one.right) if side)


@rule("DIP823", "compiled Python files", Severity.EXPECTED)
def bytecode(pair: Pair) -> Iterator[Found]:
    """One side holds ``.pyc`` files.

    Why: conda packs them, pip makes them when it installs.

    Mend: nothing to mend.

    Source: PEP 427; conda-build's and rattler-build's bytecode compilation.
    """
    found = [(file, mine) for one, file, mine, _ in _lonely(pair) if one.role == "bytecode"]
    for title in dict.fromkeys(mine for _, mine in found):
        mine = [file for file, owner in found if owner == title]
        yield Found(
            message=f"{len(mine)} .pyc files, {sum(file.size for file in mine)} bytes, only in {title}"
        )


@rule("DIP824", "no .dist-info for Python to find", Severity.DRIFT)
def dist_info(pair: Pair) -> Iterator[Found]:
    """One side installs no ``.dist-info`` folder, or one without METADATA.

    Why: `importlib.metadata.version(…)`, entry points and `pip list` do not see the package, and pip would install it again.

    Mend: let the recipe install the wheel, or copy the `.dist-info` that the backend makes.

    Source: PEP 376, PEP 627; CEP 34 leaves it to the recipe.
    """
    for title, side in zip(pair.titles, (pair.left, pair.right), strict=True):
        there = any(
            file.role == "metadata" and file.place.endswith("/METADATA") for file in side.files.values()
        )
        if not there and side.kind != "folder":
            yield Found(message=f"{title} installs no .dist-info/METADATA")


@rule("DIP825", "records of the installer", Severity.EXPECTED)
def installer_records(pair: Pair) -> Iterator[Found]:
    """RECORD, WHEEL, INSTALLER and the like are not the same, or on one side only.

    Why: they tell who installed what from where, and carry hashes of files that relinking changed.

    Mend: nothing to mend.

    Source: PEP 376, PEP 427, PEP 610.
    """
    names = sorted(
        one.place.rpartition("/")[2]
        for one in pair.files
        if one.role == "metadata"
        and one.state is not State.EQUAL
        and _of_installer(one.place)
        and _both_have_info(pair)
    )
    if names:
        yield Found(message=f"differ or stand on one side: {', '.join(names)}")


@rule("DIP826", "metadata files differ", Severity.DRIFT)
def metadata_files(pair: Pair) -> Iterator[Found]:
    """A file of ``.dist-info`` that describes the project differs, or is on one side only.

    Why: `importlib.metadata` answers differently for the two packages.

    Mend: take both from one run of the build backend.

    Source: core metadata specifications; PEP 770 for SBOMs.
    """
    if not _both_have_info(pair):
        return  # DIP824
    for one in pair.files:
        if one.role == "metadata" and one.state is not State.EQUAL and not _of_installer(one.place):
            if pair.one_build and one.place.endswith("/METADATA") and (siblings := sibling_projects(pair)):
                yield Found(
                    place=one.place,
                    severity=Severity.EXPECTED,
                    message=f"the wheel requires {', '.join(siblings)}",
                    reason="the distribution brings a library that conda has in a package of its own",
                )
                continue
            yield Found(place=one.place, message=one.state.value.replace("only ", "only on the "))


def _of_installer(place: str) -> bool:
    """Tell whether a file describes the packaging, not the project: what was grafted has its licence in there too."""
    return place.rpartition("/")[2] in _INSTALLER or "/sboms/" in place or "/licenses/grafted/" in place


def _both_have_info(pair: Pair) -> bool:
    return all(
        any(file.role == "metadata" for file in side.files.values()) for side in (pair.left, pair.right)
    )


@rule("DIP827", "licence texts differ", Severity.DRIFT)
def licence_texts(pair: Pair) -> Iterator[Found]:
    """A licence text is in one package only, or its wording differs.

    Why: most licences ask that their text goes with every copy.

    Mend: `license-files` in pyproject.toml and `license_file` in the recipe name the same files.

    Source: PEP 639; conda-forge's guidelines on licences.
    """
    for one in pair.files:
        if one.role == "licence" and one.state is not State.EQUAL:
            yield Found(place=one.place, message=_told(one, pair))


def _told(one: FilePair, pair: Pair) -> str:
    left, right = pair.titles
    return {State.ONLY_LEFT: f"only in {left}", State.ONLY_RIGHT: f"only in {right}"}.get(
        one.state, "wording differs"
    )


@rule("DIP828", "link on one side, copy on the other", Severity.EXPECTED)
def links(pair: Pair) -> Iterator[Found]:
    """A symbolic link on one side is a file, or nothing, on the other.

    Why: a zip archive that pip unpacks holds no links; conda packages do.

    Mend: nothing to mend.

    Source: PEP 427; CEP 34 (`softlink`).
    """
    for one in pair.files:
        link = next((side for side in (one.left, one.right) if side and side.link), None)
        if link is None or one.state is State.EQUAL:
            continue
        if (one.left and one.right) or _linked_to_own(pair, link):
            yield Found(place=one.place, message=f"a link to {link.link} on one side")


@rule("DIP829", "scripts start differently", Severity.EXPECTED)
def shebangs(pair: Pair) -> Iterator[Found]:
    """A script differs in its first line only, or is written from an entry point on one side.

    Why: each installer writes its own interpreter there.

    Mend: nothing to mend.

    Source: PEP 427 (`#!python`); conda's prefix replacement.
    """
    for one in pair.files:
        sides = (one.left, one.right)
        both = (
            one.state is State.DIFFERENT and one.left and one.right and not (one.left.link or one.right.link)
        )
        if both and one.left and one.right and one.left.body == one.right.body:
            yield Found(place=one.place, message="only the first line differs")
        elif None in sides and (file := one.left or one.right) and _is_entry_script(pair, file):
            yield Found(place=one.place, message="written from the entry point on the other side")


@rule("DIP820", "mode differs", Severity.DRIFT)
def modes(pair: Pair) -> Iterator[Found]:
    """A script or program may be executed on one side only.

    Why: calling it ends with "permission denied" for half of the users. Of libraries and modules the loader does not ask.

    Mend: `install(PROGRAMS …)` instead of `install(FILES …)`.

    Source: PEP 427; CEP 34.
    """
    for one in pair.files:
        if one.left and one.right and not (one.left.link or one.right.link):
            matters = one.role == "script" or "/bin/" in one.place
            if matters and one.left.executable != one.right.executable:
                title = pair.titles[0] if one.left.executable else pair.titles[1]
                yield Found(place=one.place, message=f"executable only in {title}")
