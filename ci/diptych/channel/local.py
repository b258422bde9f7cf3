"""Fill the local channel with what a request needs. The other modules of this folder make one kind of package each."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from diptych import interpreters, specs
from diptych.channel import cmeel_packages, index, names, pypi, requests
from diptych.channel.conda_file import CondaFile, write
from diptych.channel.package import PLACEHOLDER, Package, subdir_of
from diptych.channel.python_package import abi_package, check_packable, python_package, stable_abi_packages
from diptych.channel.runtimes import LIBGCC, LIBSTDCXX, Runtime, find_runtime, runtime_package, with_needs
from diptych.channel.wheel import Wheel
from diptych.channel.wheel_package import wheel_package
from diptych.errors import ChannelError, MissingToolError
from diptych.interpreters import Interpreter
from diptych.pythons import STABLE_ABI
from diptych.store import Store, digest, write_json

# What was ever asked for, by Python: for rebuild.
ASKED = "asked.json"
# Inflating, hashing and compressing leave the interpreter lock; more threads than this only wait for the
# disk.
_THREADS = 4

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class ChannelPackage:
    """One package that a request needed.

    Attributes:
        file: its name, version, build, size and hash.
        origin: where its contents came from: wheel, URL and hash, or interpreter and version.
        made: whether this call made it.
        seconds: how long that took.
    """

    file: CondaFile
    origin: Mapping[str, Any]
    made: bool
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class LocalChannel:
    """The channel, holding what was asked for.

    Attributes:
        url: ``file://`` and the folder.
        root: the folder.
        packages: what the request needed, by name.
    """

    url: str
    root: Path
    packages: tuple[ChannelPackage, ...]


@dataclass(frozen=True, kw_only=True)
class _Job:
    """One package to be there: made by ``make(open wheel or None, empty folder)`` when no key is known."""

    name: str
    key: str
    make: Callable[[Wheel | None, Path], Package]
    project: str = ""
    shared_key: Callable[[Wheel], str] | None = None


def ensure(
    specs: Sequence[str], *, python: str, root: Path, store: Store, env: Mapping[str, str], say: Say
) -> LocalChannel:
    """Make the channel hold Python and all that the specifications need, unless it does.

    Args:
        specs: conda match specifications, as in ``host = [...]``.
        python: ``3.11``, or ``3.13t`` for a free-threaded build.
        root: the channel's folder, such as ``.diptych/channel``.
        store: keeps wheels and what interpreters said, and holds the lock.
        env: the process environment.
        say: told what is being done.

    Returns:
        The channel, with the packages that this request needed.

    Raises:
        MissingToolError: there is no such Python on this machine.
        ChannelError: a package cannot be made, an index cannot be reached, a hash is wrong.
        StoreError: the disk is full.
    """
    root = root.absolute()
    wanted = requests.parse(specs, added=index.added(root))
    interpreter = interpreters.find(python, env=env, store=store)
    if interpreter is None:
        raise MissingToolError(
            f"there is no Python {python} on this machine for the local channel to pack",
            hint=f"install one: `uv python install {python}`, `pyenv install {python}` or your system's packages",
        )
    check_packable(interpreter)
    with store.lock("channel"), tempfile.TemporaryDirectory(prefix="diptych-channel-") as scratch:
        work = _Work(
            interpreter=interpreter,
            stable=any(spec.startswith(STABLE_ABI) for spec in specs),
            root=root,
            store=store,
            env=env,
            say=say,
            scratch=Path(scratch),
        )
        packages = work.ensure(wanted)
        _remember(root, python, specs)
        if index.refresh(root, say=say):
            say("indexed the local channel")
    return LocalChannel(url=root.as_uri(), root=root, packages=tuple(packages))


def wanted_before(root: Path) -> dict[str, list[str]]:
    """Return every specification that this channel was ever asked for, by Python."""
    try:
        asked = json.loads((root / ASKED).read_text(encoding="utf-8"))
        return {str(python): [str(spec) for spec in specs] for python, specs in asked.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _remember(root: Path, python: str, specs: Sequence[str]) -> None:
    before = wanted_before(root)
    both = sorted({*before.get(python, []), *specs})
    if both != before.get(python):
        write_json(root / ASKED, {**before, python: both})


@dataclass(frozen=True, kw_only=True)
class _Work:
    interpreter: Interpreter
    stable: bool
    root: Path
    store: Store
    env: Mapping[str, str]
    say: Say
    scratch: Path

    def ensure(self, wanted: Sequence[requests.Request]) -> list[ChannelPackage]:
        resolution = self._resolve(wanted)
        jobs = self._jobs(wanted, resolution)
        kept = {job.key: record for job in jobs if (record := index.read_record(self.root, job.key))}
        todo = [job for job in jobs if job.key not in kept]
        wheels = self._fetch(todo, resolution)
        with ThreadPoolExecutor(max_workers=_THREADS) as pool:
            made = list(pool.map(partial(self._make, wheels=wheels), todo))
        old = [ChannelPackage(file=each.file, origin=each.origin, made=False) for each in kept.values()]
        return sorted([*old, *made], key=lambda each: each.file.name)

    def _resolve(self, wanted: Sequence[requests.Request]) -> pypi.Resolution | None:
        projects: dict[str, str] = {}
        for request in wanted:
            project = names.pypi_name(request.name)
            both = [projects.get(project, ""), request.versions]
            projects[project] = ",".join(dict.fromkeys(filter(None, both)))
        if names.NEED_NUMPY & {request.name for request in wanted}:
            projects.setdefault("numpy", "")
        if not projects:
            return None
        resolution, asked = pypi.resolve(
            projects, self.interpreter, root=self.root, scratch=self.scratch, env=self.env
        )
        if asked:
            self.say(f"resolved {', '.join(sorted(projects))} for Python {self.interpreter.minor}")
        return resolution

    def _jobs(self, wanted: Sequence[requests.Request], resolution: pypi.Resolution | None) -> list[_Job]:
        jobs = [*self._python_jobs(), *self._stable_jobs(), *self._runtime_jobs()]
        if resolution is None:
            return jobs
        pending = [request.name for request in wanted]
        seen: set[str] = set()
        while pending:
            name = pending.pop()
            if name in seen:
                continue
            seen.add(name)
            job, needs = self._job(name, resolution)
            jobs.append(job)
            pending += needs
        return jobs

    def _job(self, name: str, resolution: pypi.Resolution) -> tuple[_Job, list[str]]:
        project = names.pypi_name(name)
        if project not in resolution.wheels:
            raise ChannelError(
                f'pip\'s answer has nothing for "{name}"', hint="`invoke channel --rebuild` asks again"
            )
        if name in names.CUT:
            needs = [*names.CUT_NEEDS.get(name, ()), *(["numpy"] if name in names.NEED_NUMPY else [])]
            return self._cut_job(name, resolution.wheels[project]), needs
        required = pypi.requirements(project, resolution)
        return (
            self._wheel_job(name, resolution.wheels[project], required),
            [specs.conda_name(each) for each in required.projects],
        )

    def _python_jobs(self) -> list[_Job]:
        interpreter = self.interpreter
        files = [interpreter.executable, interpreter.libpython or interpreter.executable]
        states = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
        # A package with ensurepip may come later (Debian's python3-venv).
        pip = (interpreter.stdlib / "ensurepip").is_dir()
        key = self._key("python", interpreter.version, str(interpreter.prefix), states, pip, PLACEHOLDER)
        return [
            _Job(
                name="python",
                key=key,
                make=lambda _, scratch: python_package(interpreter, scratch, env=self.env),
            ),
            _Job(
                name="python_abi",
                key=self._key("python_abi", interpreter.minor),
                make=lambda _, __: abi_package(interpreter),
            ),
        ]

    def _stable_jobs(self) -> Iterator[_Job]:
        """Yield what a package of the stable ABI depends on, when one is asked for; a Python without the GIL has none of it."""
        if not self.stable or self.interpreter.free_threaded:
            return
        for package in stable_abi_packages(self.interpreter):
            yield _Job(
                name=package.name,
                key=self._key(package.name, package.version, package.build),
                make=partial(_ready, package),
            )

    def _runtime_jobs(self) -> list[_Job]:
        runtime = find_runtime()
        return [self._runtime_job(name, runtime) for name in (LIBGCC, LIBSTDCXX)] if runtime else []

    def _runtime_job(self, name: str, runtime: Runtime) -> _Job:
        subdir = subdir_of(self.interpreter.platform)
        return _Job(
            name=name,
            key=self._key(name, runtime.state, subdir),
            make=lambda _, __: runtime_package(name, runtime, subdir=subdir),
        )

    def _cut_job(self, name: str, chosen: pypi.ResolvedWheel) -> _Job:
        def make(wheel: Wheel | None, scratch: Path) -> Package:
            cutting = cmeel_packages.Cutting(
                wheel=_given(wheel),
                interpreter=self.interpreter,
                scratch=scratch,
                origin=_origin(chosen),
                env=self.env,
            )
            return cmeel_packages.cut(name, cutting)

        platform = self.interpreter.platform
        return _Job(
            name=name,
            key=self._key(name, chosen.sha256, platform),
            make=make,
            project=chosen.name,
            shared_key=lambda wheel: self._key(cmeel_packages.content_key(name, wheel), platform),
        )

    def _wheel_job(self, name: str, chosen: pypi.ResolvedWheel, needs: pypi.Requirements) -> _Job:
        def make(wheel: Wheel | None, _: Path) -> Package:
            return wheel_package(_given(wheel), self.interpreter, needs=needs, origin=_origin(chosen))

        # A pure wheel with the same needs everywhere is one package for all Pythons.
        shared = chosen.filename.endswith("-none-any.whl") and not needs.python_specific
        python = "any" if shared else self.interpreter.minor
        return _Job(
            name=name,
            key=self._key(name, chosen.sha256, needs.depends, python, PLACEHOLDER),
            make=make,
            project=chosen.name,
        )

    def _key(self, *parts: object) -> str:
        return digest(index.MAKERS, *parts)

    def _fetch(self, todo: Sequence[_Job], resolution: pypi.Resolution | None) -> dict[str, Path]:
        projects = sorted({job.project for job in todo if job.project})
        if not projects or resolution is None:
            return {}
        self.say(f"fetching {', '.join(projects)}")
        chosen = [resolution.wheels[project] for project in projects]
        return pypi.fetch(chosen, self.interpreter, store=self.store, scratch=self.scratch, env=self.env)

    def _make(self, job: _Job, *, wheels: Mapping[str, Path]) -> ChannelPackage:
        started = time.monotonic()
        opened: AbstractContextManager[Wheel | None] = (
            Wheel(wheels[job.project]) if job.project else nullcontext()
        )
        with opened as wheel:
            shared = job.shared_key(wheel) if job.shared_key and wheel else ""
            if shared and (record := index.read_record(self.root, shared)):
                index.alias_record(self.root, job.key, record)
                return ChannelPackage(file=record.file, origin=record.origin, made=False)
            scratch = Path(tempfile.mkdtemp(dir=self.scratch))
            package = with_needs(job.make(wheel, scratch))
            file = write(package, self.root)
        for key in filter(None, (job.key, shared)):
            index.write_record(self.root, key, file, package.origin)
        shutil.rmtree(scratch, ignore_errors=True)
        seconds = time.monotonic() - started
        self.say(f"made {file.filename} in {seconds:.1f} s")
        return ChannelPackage(file=file, origin=package.origin, made=True, seconds=seconds)


def _ready(package: Package, _wheel: Wheel | None, _scratch: Path) -> Package:
    return package


def _given(wheel: Wheel | None) -> Wheel:
    if wheel is None:
        raise ChannelError("a package that is cut from a wheel was asked for without one")
    return wheel


def _origin(chosen: pypi.ResolvedWheel) -> dict[str, object]:
    return {"kind": "wheel", "wheel": chosen.filename, "sha256": chosen.sha256, "url": chosen.url}
