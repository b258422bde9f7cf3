"""Run py-rattler in a child process: the order is sent as JSON, and so is the reply.

Rust's runtime leaves threads that are attached to the interpreter for a moment longer than a call lasts; when a process
ends within that moment, CPython finalizes under their feet and it dies of SIGSEGV or SIGABRT after all its work was done
(github.com/PyO3/pyo3-async-runtimes/issues/40). The child leaves through ``os._exit`` once its reply is written.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diptych import process
from diptych.errors import ProcessError
from diptych.store import discard

if TYPE_CHECKING:
    import rattler

_ORDER, _REPLY = "order.json", "reply.json"


@dataclass(frozen=True, kw_only=True)
class Order:
    """One call of py-rattler.

    Attributes:
        do: "create" (solve and link), "link", "index" (a folder) or "index-s3".
        channels: for "create": where the packages come from.
        specs: for "create": match specs.
        packages: for "link": name, version, build, subdir, url and sha256 of each.
        place: the prefix, the folder or the channel's URL.
        s3: for "index-s3": the arguments of S3Credentials that are no secret; empty for Amazon's own.
        shards: for both indexes: write the sharded one too (CEP 16).
    """

    do: str
    place: str
    channels: tuple[str, ...] = ()
    specs: tuple[str, ...] = ()
    packages: tuple[Mapping[str, str], ...] = ()
    s3: Mapping[str, str] | None = None
    shards: bool = False


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What went wrong.

    Attributes:
        step: "solve", "link" or "index".
        lines: what py-rattler said, each line once; at least one.
    """

    step: str
    lines: tuple[str, ...]


def carry_out(order: Order, *, env: Mapping[str, str]) -> Failure | None:
    """Carry out an order; return what failed, or None.

    Args:
        order: what to do.
        env: the environment of the child: py-rattler reads its cache folder, proxies and credentials from it.
    """
    with tempfile.TemporaryDirectory(prefix="diptych-order-") as name:
        folder = Path(name)
        (folder / _ORDER).write_text(json.dumps(asdict(order)), encoding="utf-8")
        try:
            process.run([sys.executable, "-m", "diptych.condaclient", folder], env=env, cwd=folder)
            reply = json.loads((folder / _REPLY).read_text(encoding="utf-8"))
        except ProcessError as error:  # it crashed: nothing of this is py-rattler's answer
            return Failure(step="start", lines=(error.summary, *error.details))
    return Failure(step=reply["step"], lines=tuple(reply["lines"])) if reply else None


def _carried_out(order: dict[str, Any]) -> dict[str, Any]:
    """Do it, here; return an empty reply, or which step failed and what was said."""
    step = {"create": "solve", "link": "link"}.get(order["do"], "index")
    try:
        if order["do"] == "create":
            records = asyncio.run(_solve(order))
            step = "link"
            asyncio.run(_link(records, Path(order["place"])))
        elif order["do"] == "link":
            asyncio.run(_link([_explicit(one) for one in order["packages"]], Path(order["place"])))
        else:
            asyncio.run(_index(order))
    except Exception as error:  # noqa: BLE001 -- py-rattler raises a different class for each thing that can go wrong
        lines = dict.fromkeys(line.strip() for line in str(error).splitlines() if line.strip())
        return {"step": step, "lines": list(lines) or [type(error).__name__]}
    return {}


async def _solve(order: dict[str, Any]) -> list[rattler.RepoDataRecord]:
    import rattler  # noqa: PLC0415 -- heavy, and for the child alone

    specs = [rattler.MatchSpec(text) for text in order["specs"]]
    return await rattler.solve(order["channels"], specs, virtual_packages=rattler.VirtualPackage.detect())


async def _link(records: list[rattler.RepoDataRecord], prefix: Path) -> None:
    """Fetch the packages, check their hashes, and link them into ``prefix``, replacing what is there."""
    import rattler  # noqa: PLC0415 -- as above

    discard(prefix)
    prefix.parent.mkdir(parents=True, exist_ok=True)
    await rattler.install(records, prefix, show_progress=False, execute_link_scripts=False)


def _explicit(package: Mapping[str, str]) -> rattler.RepoDataRecord:
    import rattler  # noqa: PLC0415 -- as above

    record = rattler.PackageRecord(
        name=package["name"],
        version=package["version"],
        build=rattler.BuildString(package["build"]),
        build_number=0,
        subdir=package["subdir"],
        sha256=bytes.fromhex(package["sha256"]),
    )
    url = package["url"]
    return rattler.RepoDataRecord(record, url.rsplit("/", 1)[-1], url, url.rsplit("/", 2)[0])


async def _index(order: dict[str, Any]) -> None:
    from rattler.index import S3Credentials, index_fs, index_s3  # noqa: PLC0415 -- as above

    # Forced: an index that a killed run left half written would otherwise be read and trusted.
    shards = order["shards"]
    if order["do"] == "index":
        await index_fs(Path(order["place"]), write_zst=True, write_shards=shards, force=True)
        return
    given = order["s3"] and S3Credentials(
        access_key_id=os.environ.get("AWS_ACCESS_KEY_ID"),  # noqa: TID251 -- secrets come no other way
        secret_access_key=os.environ.get("AWS_SECRET_ACCESS_KEY"),  # noqa: TID251 -- as above
        session_token=os.environ.get("AWS_SESSION_TOKEN"),  # noqa: TID251 -- as above
        addressing_style="path",
        **order["s3"],
    )
    await index_s3(order["place"], given or None, write_zst=True, write_shards=shards, force=True)


def main(folder: Path) -> None:
    """Read the order in ``folder`` and leave the reply there."""
    reply = _carried_out(json.loads((folder / _ORDER).read_text(encoding="utf-8")))
    (folder / _REPLY).write_text(json.dumps(reply), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    os._exit(0)
