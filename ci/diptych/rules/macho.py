"""DIP6xx: what dyld and the macOS kernel refuse."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from diptych.binaries import Signature
from diptych.rules import conditions
from diptych.rules.evidence import Evidence, Item
from diptych.rules.model import Finding, Severity, rule
from diptych.rules.names import libpython
from diptych.rules.search_paths import several

_FIRST_ARM = (11, 0)
_OURS = ("/usr/lib/", "/System/")
_DELOCATED = "/DLC/"


@rule("DIP601", "LC_RPATH twice", Severity.ERROR, conditions.macho)
def duplicate_rpath(evidence: Evidence) -> Iterator[Finding]:
    """A Mach-O binary has two equal LC_RPATH commands.

    Why: dyld of macOS 15.4 and later refuses to load it: "duplicate LC_RPATH". CMake, LDFLAGS and a relinker each added theirs.

    Mend: `install_name_tool -delete_rpath` once, then sign; `diptych relink` keeps each once.

    Not seen: entries that are spelled differently and lead to one folder.

    Source: conda/conda-build#5671; prefix-dev/rattler-build#1955; mesonbuild/meson-python#813.
    """
    for item in evidence.macho:
        doubled = {entry: count for entry, count in Counter(item.binary.rpath).items() if count > 1}
        if doubled:
            yield Finding(
                place=item.label,
                message="duplicate LC_RPATH: macOS 15.4 does not load it",
                evidence=tuple(f"{entry} stands {count} times" for entry, count in doubled.items()),
            )


@rule("DIP602", "no code signature", Severity.ERROR, conditions.macho)
def unsigned(evidence: Evidence) -> Iterator[Finding]:
    """An arm64 binary has no code signature.

    Why: Apple silicon runs signed code only: the process is killed. The linker signs ad hoc; something removed it.

    Mend: `codesign --force --sign - FILE`, as the last step after every edit.

    Not seen: whether a signature is one that Gatekeeper or a notary accepts.

    Source: developer.apple.com/forums/thread/703059; matthew-brett/delocate#102, #144.
    """
    for item in evidence.macho:
        loadable = item.binary.kind in {"shared", "bundle", "executable"} and item.binary.platform in {
            "",
            "macos",
        }
        if item.binary.machine.startswith("arm64") and loadable and not item.binary.signed:
            yield Finding(
                place=item.label, message="arm64 without a signature", evidence=("no LC_CODE_SIGNATURE",)
            )


@rule("DIP603", "code signature does not fit the code", Severity.ERROR, conditions.macho)
def stale_signature(evidence: Evidence) -> Iterator[Finding]:
    """A page of the file has another hash than its signature says.

    Why: the file was edited after it was signed. On Apple silicon the kernel kills the process that touches the page: "zsh: killed",
    "Code Signature Invalid".

    Mend: sign again after the last edit, into a new file (`codesign --force --sign -`): the kernel remembers signatures by inode.

    Not seen: certificates and entitlements: page hashes alone are recomputed.

    Source: DataDog/datadog-agent#49613; prefix-dev/rattler-build#324; tpoechtrager/cctools-port#97.
    """
    for item in evidence.macho:
        if item.deep.signature is Signature.STALE:
            arm = item.binary.machine.startswith("arm64")
            yield Finding(
                given=Severity.ERROR if arm else Severity.DRIFT,
                place=item.label,
                message="the signature is stale",
                evidence=("at least one page hash differs from the one recomputed",),
            )


@rule("DIP604", "needs a newer macOS than the tag", Severity.ERROR, conditions.packed, conditions.macho)
def above_min_os(evidence: Evidence) -> Iterator[Finding]:
    """A binary's minimum macOS is newer than the wheel's tag, or than the conda package's `__osx`.

    Why: pip or conda installs the package on the older system, where dyld refuses the binary or a symbol is missing. A library from Homebrew or
    conda was compiled for the build machine's own version.

    Mend: compile it with MACOSX_DEPLOYMENT_TARGET of the tag, or raise the tag (`c_stdlib_version` for conda).

    Not seen: symbols that the older system lacks though the file's minimum admits it.

    Source: python-pillow/Pillow#8502; matthew-brett/delocate#56, #211; pypa/cibuildwheel#818.
    """
    promised = min((tag.min_os for tag in evidence.platforms if tag.min_os), default=None)
    stated = "the tag says"
    if evidence.conda is not None:
        promised, stated = evidence.conda.floor("__osx"), "the package says __osx"
    groups: dict[tuple[str, tuple[int, int]], list[Item]] = defaultdict(list)
    for item in evidence.macho if promised else ():
        wanted = _version(item.binary.min_os)
        floor = max(promised or (0, 0), _FIRST_ARM) if item.binary.machine.startswith("arm64") else promised
        loadable = item.binary.kind != "object" and item.binary.platform in {"", "macos"}
        if wanted and floor and wanted > floor and loadable:
            groups[item.binary.min_os or "", floor].append(item)
    for (newest, floor), items in groups.items():
        places = list(dict.fromkeys(item.label for item in items))
        yield Finding(
            place=places[0],
            message=f"needs macOS {newest}, {stated} {'.'.join(map(str, floor))}",
            evidence=(
                f"minos {newest}, SDK {items[0].binary.sdk or 'unknown'}",
                *(several(places) if len(places) > 1 else ()),
            ),
        )


def _version(text: str | None) -> tuple[int, int] | None:
    numbers = [int(part) for part in (text or "").split(".") if part.isdigit()]
    return (numbers[0], numbers[1] if len(numbers) > 1 else 0) if numbers else None


@rule("DIP605", "slices that disagree", Severity.ERROR, conditions.macho)
def slices_disagree(evidence: Evidence) -> Iterator[Finding]:
    """The slices of a universal file need different libraries, or one that the tag promises is missing.

    Why: it works on one kind of Mac. A `universal2` wheel with a thin file inside ends with "incompatible architecture" on the other.

    Mend: build both slices from the same inputs and fuse them (`lipo`, `delocate-merge`), or tag for one machine.

    Not seen: whether the slices hold the same code.

    Source: matthew-brett/delocate, `--require-archs`; pypa/cibuildwheel, universal2.
    """
    promised = {name for tag in evidence.platforms for name in tag.machines if tag.system == "macosx"}
    lacking: dict[tuple[bool, tuple[str, ...], tuple[str, ...]], list[str]] = defaultdict(list)
    for place, slices in evidence.by_file():
        if slices[0].binary.format != "macho":
            continue
        have = {item.binary.machine for item in slices}
        missing = promised - have
        if missing and have & promised:
            module = slices[0].module is not None
            lacking[module, tuple(sorted(missing)), tuple(sorted(have))].append(place)
        if len({frozenset(_leaves(item)) for item in slices}) > 1:
            yield Finding(
                given=Severity.DRIFT,
                place=place,
                message="the slices need different libraries",
                evidence=tuple(f"{one.binary.machine}: {', '.join(sorted(_leaves(one)))}" for one in slices),
            )
    for (module, without, given), places in lacking.items():
        yield Finding(
            given=Severity.ERROR if module else Severity.DRIFT,
            place=places[0],
            message=f"no slice for {', '.join(without)}",
            evidence=(
                f"slices: {', '.join(given)}",
                f"tag: {evidence.platforms[0].text}",
                *(several(places) if len(places) > 1 else ()),
            ),
        )


def _leaves(item: Item) -> set[str]:
    return {name.rpartition("/")[2] for name in item.binary.needed}


@rule("DIP606", "library by its place on the build machine", Severity.ERROR, conditions.macho)
def absolute_install_name(evidence: Evidence) -> Iterator[Finding]:
    """A binary needs a library by an absolute path outside the system, or has such a name itself.

    Why: dyld looks at that path and nowhere near the file: "Library not loaded: /opt/homebrew/…". A library's own absolute install name
    is copied into all that is linked to it later.

    Mend: delocate the wheel; `install_name_tool -change` and `-id @rpath/…`, then sign; `diptych relink`.

    Not seen: paths that the program builds at run time.

    Source: Apple, "Run-Path Dependent Libraries"; conda/conda-build#312.
    """
    for item in evidence.macho:
        foreign = [
            name for name in item.binary.needed
            if name.startswith("/") and not name.startswith(_OURS) and not libpython(name)
        ]  # fmt: skip
        foreign = [name for name in foreign if evidence.inside(name) is None]
        if foreign:
            weak = set(foreign) <= set(item.binary.weak_needed)
            hard = evidence.packed and not weak
            yield Finding(
                given=Severity.ERROR if hard else Severity.DRIFT,
                place=item.label,
                message=f"needs {foreign[0]}",
                evidence=tuple(f"LC_LOAD_DYLIB {name}" for name in foreign),
            )
        own = item.binary.soname or ""
        if own.startswith("/") and not own.startswith((*_OURS, _DELOCATED)) and not libpython(own):
            yield Finding(
                given=Severity.NOTE,
                place=item.label,
                message=f"calls itself {own}",
                evidence=(f"LC_ID_DYLIB {own}",),
            )
