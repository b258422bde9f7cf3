"""From the relinked tree to the repaired wheel: tags, RECORD, grafted libraries with their origin, platform tag."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from packaging.tags import parse_tag

from diptych import __version__, process
from diptych.archives import open_package
from diptych.environments import Environment
from diptych.errors import PackageError, ProcessError
from diptych.packages.elsewhere import into_wheel
from diptych.packages.grafted import original_name, trace
from diptych.packages.licences import licence_texts
from diptych.packages.machotools import mach_o_tools
from diptych.packages.metadata import Metadata
from diptych.packages.rewheel import rewrite
from diptych.packages.sbom import FILE, bill


@dataclass(frozen=True, kw_only=True)
class WheelJob:
    """The inputs of a wheel.

    Attributes:
        tree: the relinked tree, laid out as site-packages.
        extra: what goes elsewhere than site-packages, in folders ``scripts``, ``headers`` and ``data``; None for nothing.
        programs: a folder of programs, relinked; None for nothing.
        metadata: the prepared metadata.
        tag: interpreter and ABI tag, "cp311-cp311".
        platform: conda's name of the platform, "linux-64".
        environment: where libraries are grafted from.
        own: folders of the project's own libraries, which are grafted too.
        libraries: folders where the other libraries to graft are found.
        exclude: globs of libraries that must not be grafted.
        requires: further Requires-Dist lines.
        env: the tools' environment.
        epoch: SOURCE_DATE_EPOCH, seconds.
        log: where the tools' output goes.
    """

    tree: Path
    extra: Path | None
    programs: Path | None
    metadata: Metadata
    tag: str
    platform: str
    environment: Environment
    own: tuple[Path, ...]
    libraries: tuple[Path, ...]
    exclude: tuple[str, ...]
    requires: tuple[str, ...]
    env: Mapping[str, str]
    epoch: int
    log: Path


def make_wheel(job: WheelJob, folder: Path) -> Path:
    """Pack the tree, graft what it needs, tag it, and say where the grafted came from; same inputs, same bytes.

    Args:
        job: the inputs.
        folder: an existing folder; the wheel is the only ``.whl`` that is left in it.

    Returns:
        The repaired wheel.

    Raises:
        PackageError: a library cannot be found or no platform tag fits.
    """
    plain = folder / "plain"
    plain.mkdir()
    try:
        wheel = _repair(job, _pack(job, plain), folder)
    except ProcessError as error:
        raise PackageError(
            f"{job.metadata.stem}: no wheel: {_reason(error)}", details=error.details, hint=_hint(error)
        ) from error
    finally:
        shutil.rmtree(plain, ignore_errors=True)
    rewrite(wheel, extra=_origins(job, wheel), epoch=job.epoch)
    return wheel


def raw_platform_tag(platform: str) -> str:
    """Return the tag of an unrepaired wheel: true of this machine only.

    Raises:
        PackageError: the platform is not known.
    """
    tags = {
        "linux-64": "linux_x86_64",
        "linux-aarch64": "linux_aarch64",
        "linux-ppc64le": "linux_ppc64le",
        "osx-64": "macosx_10_13_x86_64",
        "osx-arm64": "macosx_11_0_arm64",
    }
    if platform not in tags:
        raise PackageError(f'no wheel tag is known for the platform "{platform}"')
    return tags[platform]


def _pack(job: WheelJob, folder: Path) -> Path:
    """Lay out the wheel's content and let ``wheel pack`` write RECORD and the archive, in a fixed order."""
    content = folder / "content"
    shutil.copytree(job.tree, content)
    into_wheel(job.extra, job.programs, content, job.metadata)
    info = content / job.metadata.folder.name
    shutil.copytree(job.metadata.folder, info)
    (info / "RECORD").unlink(missing_ok=True)
    require(info / "METADATA", job.requires)
    # PEP 427, "the .dist-info directory": the WHEEL file.
    lines = ["Wheel-Version: 1.0", f"Generator: diptych ({__version__})", "Root-Is-Purelib: false"]
    tags = sorted(map(str, parse_tag(f"{job.tag}-{raw_platform_tag(job.platform)}")))
    (info / "WHEEL").write_text("\n".join([*lines, *(f"Tag: {tag}" for tag in tags), ""]), encoding="utf-8")
    process.run(
        [sys.executable, "-m", "wheel", "pack", content, "--dest-dir", folder],
        env=_env(job),
        cwd=folder,
        log=job.log,
    )
    return next(folder.glob("*.whl"))


def require(metadata: Path, lines: Sequence[str]) -> None:
    """Add Requires-Dist lines to a METADATA file (core metadata): behind the other headers, before the description.

    Args:
        metadata: the file.
        lines: requirements (PEP 508); none leaves the file alone.
    """
    if lines:
        head, blank, body = metadata.read_text(encoding="utf-8").partition("\n\n")
        more = "".join(f"\nRequires-Dist: {line}" for line in lines)
        metadata.write_text(f"{head.rstrip()}{more}{blank or chr(10)}{body}", encoding="utf-8")


def _repair(job: WheelJob, wheel: Path, folder: Path) -> Path:
    if job.platform.startswith("linux"):
        command: Sequence[str | Path] = ["auditwheel", "repair", "--plat", "auto", "-w", folder]
        variable = (
            "AUDITWHEEL_LD_LIBRARY_PATH"  # for the search alone; LD_LIBRARY_PATH would steer its tools too
        )
    else:
        command = ["delocate-wheel", "-v", "-w", folder]
        variable = "DYLD_LIBRARY_PATH"
    excluded = [word for glob in job.exclude for word in ("--exclude", glob)]
    env = {**_env(job), variable: ":".join(map(str, (*job.own, *job.libraries)))}
    if not job.platform.startswith("linux"):
        env = mach_o_tools(wheel.parent, env)
    process.run([*command, *excluded, wheel], env=env, cwd=folder, log=job.log)
    return next(folder.glob("*.whl"))


def _origins(job: WheelJob, wheel: Path) -> dict[str, bytes]:
    """Return what ``.dist-info`` gains: the bill of materials (PEP 770), and the licence texts of what was grafted."""
    with open_package(wheel) as package:
        foreign = [
            (member.name, member.sha256)
            for member in package.payload
            if member.link is None and not _is_own(member.name, job)
        ]
    grafted = trace(foreign, job.environment)
    texts = licence_texts(grafted, job.environment.prefix)
    return {
        FILE: bill(job.metadata.name, job.metadata.version, grafted, texts),
        **{f"licenses/{name}": text for name, text in texts.items()},
    }


def _is_own(member: str, job: WheelJob) -> bool:
    """Tell whether a member is the project's: of site-packages, of another place, a program, or a library that was grafted."""
    name = original_name(PurePosixPath(member).name)
    return (
        (job.tree / member).exists()
        or member.startswith(
            (f"{job.metadata.stem}.data/", f"{job.metadata.stem.partition('-')[0]}.scripts/")
        )
        or any((folder / name).exists() for folder in job.own)
    )


def _env(job: WheelJob) -> dict[str, str]:
    return {**job.env, "SOURCE_DATE_EPOCH": str(job.epoch)}


def _reason(error: ProcessError) -> str:
    """Pick auditwheel's own sentence out of its log lines."""
    marks = (
        "cannot repair",
        "could not be located",
        "too-recent versioned symbols",
        "does not satisfy",
        "Error:",
    )
    for line in error.details:
        if any(mark in line for mark in marks):
            return line.strip()
    return error.summary


def _hint(error: ProcessError) -> str:
    text = "\n".join(error.details)
    if "could not be located" in text:
        return "is the package of that library in tool.diptych.host? else name it in exclude-libraries"
    if "couldn't detect libc" in text:
        return "auditwheel knows a system by its C library, which no binary here needs: link with -Wl,--no-as-needed -lc"
    if "too-recent versioned symbols" in text:
        return "an older compiler or sysroot gives an older tag"
    return ""
