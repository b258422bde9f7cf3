"""Where an artefact comes from, as an in-toto statement with a SLSA provenance predicate.

Form: in-toto Attestation Framework v1 (github.com/in-toto/attestation, spec/v1/statement.md) and SLSA Provenance v1
(slsa.dev/spec/v1.0/provenance). One subject a statement: a verifier then never has to guess which one was meant (CEP 27).
It is not signed here: on GitHub the workflow attests the same files with the identity of its run.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from diptych import __version__
from diptych.packages.grafted import public_url
from diptych.release.model import Item

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
_BUILD_TYPE = "https://diptych.example/docs/reference/release/v1"
_LOCAL_BUILDER = "https://diptych.example/docs/reference/release/local"


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What all artefacts of a release share.

    Attributes:
        project: its name.
        version: its version.
        repository: the URL of the sources, or empty.
        commit: the git commit.
        tag: the git tag.
        builder: the identity of the CI run, or empty.
    """

    project: str
    version: str
    repository: str
    commit: str
    tag: str
    builder: str


def origin_of(project: str, version: str, *, commit: str, tag: str, env: Mapping[str, str]) -> Origin:
    """Return the origin, with the repository and the run as GitHub Actions names them."""
    server, repository = env.get("GITHUB_SERVER_URL", ""), env.get("GITHUB_REPOSITORY", "")
    hosted = bool(server and repository)
    return Origin(
        project=project,
        version=version,
        repository=f"{server}/{repository}" if hosted else "",
        commit=commit,
        tag=tag,
        builder=f"{server}/{env.get('GITHUB_WORKFLOW_REF', repository)}" if hosted else "",
    )


def statement(item: Item, provenance: Mapping[str, Any], origin: Origin) -> dict[str, Any]:
    """Return the statement about one artefact.

    Args:
        item: the artefact.
        provenance: of the cell that it comes from; empty for a source distribution.
        origin: what all share.
    """
    return {
        "_type": STATEMENT,
        "subject": [{"name": item.path.name, "digest": {"sha256": item.sha256}}],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": _BUILD_TYPE,
                "externalParameters": _without_empty(
                    {
                        "project": origin.project,
                        "version": origin.version,
                        "tag": origin.tag,
                        "kind": item.kind.name.lower(),
                        "cell": provenance.get("cell"),
                        "platform": provenance.get("platform"),
                        "channels": [
                            public_url(url) if "://" in url else url for url in provenance.get("channels", ())
                        ],
                    }
                ),
                "internalParameters": _without_empty(
                    {
                        "inputs": provenance.get("inputs"),
                        "compiler": _compiler(provenance),
                        "tools": provenance.get("tools"),
                        "backend": provenance.get("backend"),
                        "fallback": provenance.get("fallback"),
                    }
                ),
                "resolvedDependencies": list(_dependencies(provenance, origin)),
            },
            "runDetails": {
                "builder": {
                    "id": origin.builder or _LOCAL_BUILDER,
                    "version": {"diptych": str(provenance.get("diptych") or __version__)},
                },
                "metadata": _times(provenance),
            },
        },
    }


def _dependencies(provenance: Mapping[str, Any], origin: Origin) -> Iterator[dict[str, Any]]:
    source = {"name": "source", "digest": {"gitCommit": origin.commit}}
    if origin.repository:
        source = {"uri": f"git+{origin.repository}@refs/tags/{origin.tag}", **source}
    yield source
    for package in provenance.get("lock", ()):
        yield _without_empty(
            {
                "uri": public_url(str(package["url"])),
                "name": f"{package['name']} {package['version']} {package['build']}",
                "digest": {"sha256": package["sha256"]} if package["sha256"] else None,
            }
        )


def _compiler(provenance: Mapping[str, Any]) -> dict[str, str]:
    """Return what the compiler is, without the paths of the machine."""
    found = provenance.get("compiler") or {}
    return {name: str(value) for name, value in found.items() if "/" not in str(value)}


def _times(provenance: Mapping[str, Any]) -> dict[str, str]:
    times = provenance.get("times") or {}
    if "started" not in times:
        return {}
    started = dt.datetime.fromtimestamp(int(times["started"]), tz=dt.timezone.utc)
    finished = started + dt.timedelta(seconds=round(times.get("seconds", 0)))
    return {
        "startedOn": started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "finishedOn": finished.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}
