"""Which channels a run uses, and whether each can be reached.

The rule: ``local`` alone is the local channel. Beside others it may stand in for them, so it is used only when
one is out of reach. conda-forge or defaults out of reach and ``local`` not named: it stands in all the same, said
and recorded, but under CI that is an error. Any other channel out of reach is an error, since only its owner
knows what it holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

from diptych.errors import ChannelError
from diptych.fetching import FAILURES, reason_of, request

LOCAL = "local"
_ALIAS = "https://conda.anaconda.org"
# What "defaults" is short for (conda's configuration reference, default_channels).
_DEFAULTS = "https://repo.anaconda.com/pkgs/main"
_REPLACEABLE = frozenset({"conda-forge", "defaults"})
_INDEXES = ("noarch/repodata.json.zst", "noarch/repodata.json")
_TIMEOUT = 3.0
_NOT_FOUND = 404


@dataclass(frozen=True, kw_only=True)
class ChannelChoice:
    """The channels of a run.

    Attributes:
        channels: names and URLs in order; ``local`` stands for the local channel.
        fallback: the local channel stands in for one that was asked for and is out of reach.
        reason: why, in a sentence for the person; empty when all is as asked.
    """

    channels: tuple[str, ...]
    fallback: bool
    reason: str


def url_of(channel: str, env: Mapping[str, str]) -> str:
    """Return the URL of a channel name; URLs and paths stay what they are."""
    if "://" in channel:
        return channel.rstrip("/")
    if channel.startswith(("/", "./", "../", "~")):
        return Path(channel).expanduser().absolute().as_uri()
    if channel == "defaults":
        return _DEFAULTS
    return f"{env.get('CONDA_CHANNEL_ALIAS', _ALIAS).rstrip('/')}/{channel}"


def reachable(channel: str, *, env: Mapping[str, str], timeout: float = _TIMEOUT) -> str:
    """Return an empty string when the channel's index can be had, or the reason why not.

    Args:
        channel: a name, a URL or a folder.
        env: for CONDA_CHANNEL_ALIAS and the proxies (``https_proxy``, ``no_proxy``, ...).
        timeout: seconds for one answer.
    """
    url = url_of(channel, env)
    if url.startswith("file://"):
        folder = Path(unquote(urlsplit(url).path))
        there = any((folder / index).is_file() for index in _INDEXES)
        return "" if there else f'there is no noarch/repodata.json in "{folder}"'
    reason = ""
    for index in _INDEXES:
        reason = _head(f"{url}/{index}", env, timeout)
        if not reason.startswith(f"{_NOT_FOUND} "):
            return reason
    return reason


def _head(url: str, env: Mapping[str, str], timeout: float) -> str:
    try:
        with request(url, env=env, timeout=timeout, method="HEAD"):
            return ""
    except FAILURES as error:
        return reason_of(error)


def choose(
    channels: Sequence[str], *, env: Mapping[str, str], ci: bool, timeout: float = _TIMEOUT
) -> ChannelChoice:
    """Decide which channels a run uses.

    Args:
        channels: as the table names them; ``local`` is the local channel.
        env: see :func:`reachable`.
        ci: whether this is CI, where nothing may stand in for what was asked.
        timeout: seconds for one answer.

    Raises:
        ChannelError: a channel is out of reach and nothing may stand in for it.
    """
    if not channels:
        raise ChannelError("no channel is named", hint='write channels = ["conda-forge"] or ["local"]')
    remote = [channel for channel in channels if channel != LOCAL]
    with ThreadPoolExecutor(max_workers=max(1, len(remote))) as pool:
        reasons = list(pool.map(partial(reachable, env=env, timeout=timeout), remote))
    down = {channel: reason for channel, reason in zip(remote, reasons, strict=True) if reason}
    if not down:
        return ChannelChoice(channels=tuple(remote) or (LOCAL,), fallback=False, reason="")
    details = [f"{channel} ({url_of(channel, env)}): {reason}" for channel, reason in down.items()]
    if owned := sorted(set(down) - _REPLACEABLE):
        raise ChannelError(
            f'channel "{owned[0]}" cannot be reached', details=details, hint="check the URL and the network"
        )
    if ci and LOCAL not in channels:
        raise ChannelError(
            f'channel "{next(iter(down))}" cannot be reached, and under CI nothing stands in for it',
            details=details,
            hint='if the local channel is meant, say so: channels = ["local"]',
        )
    kept = [channel for channel in channels if channel not in down]
    named = LOCAL in kept
    return ChannelChoice(
        channels=tuple(kept if named else [*kept, LOCAL]),
        fallback=not named,
        reason=f"{'; '.join(details)}: the local channel stands in for it",
    )
