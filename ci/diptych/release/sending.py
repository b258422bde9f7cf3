"""Compare a release with its destinations, then send what they lack. All comparisons precede the first upload."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from diptych.errors import DiptychError, ReleaseError
from diptych.output import Output, human_size, many
from diptych.release.model import Check, Destination, Item, ItemStatus, State


def statuses_of(items: Sequence[Item], destinations: Sequence[Destination]) -> tuple[ItemStatus, ...]:
    """Look what of a release is there already; nothing is written.

    Args:
        items: the artefacts.
        destinations: where they go.

    Raises:
        ChannelError, ReleaseError: a destination cannot be reached, or would not let us write.
    """
    found = []
    for destination in destinations:
        ours = [item for item in items if destination.accepts(item.kind)]
        with _advised("nothing was sent"):
            destination.check_access()
            there = destination.look(ours)
        found += [_status(item, destination, there.get(item.name, "")) for item in ours]
    return tuple(found)


def check_places(statuses: Sequence[ItemStatus]) -> Check:
    """Refuse a release of which something is there with other bytes: a published file is never replaced."""
    count = {state: sum(one.state is state for one in statuses) for state in State}
    faults = [
        f"{one.destination} has {one.item.name} with sha256 {one.found[:16]}…, not {one.item.sha256[:16]}…"
        for one in statuses
        if one.state is State.OTHER
    ]
    hint = "; a published version never changes: make a new version" if faults else ""
    return Check(
        name="destinations",
        detail=f"{many(count[State.ABSENT], 'file')} to send, {count[State.SAME]} there already",
        fault="; ".join(faults) + hint,
    )


def send_all(
    statuses: Sequence[ItemStatus], destinations: Sequence[Destination], output: Output
) -> tuple[ItemStatus, ...]:
    """Send what is absent, one file after another, and see that every destination then has all of it.

    An interruption loses nothing: the next run looks again and goes on. Destinations are served in their order, so the one
    that can take nothing back comes last.

    Raises:
        ReleaseError: a file was refused, or is not there afterwards.
        ChannelError: a destination cannot be reached any more.
        StoreError: a folder cannot be written.
    """
    done = []
    for destination in destinations:
        ours = [one for one in statuses if one.destination == destination.name]
        done += _sent(ours, destination, output)
    return tuple(done)


def _sent(ours: Sequence[ItemStatus], destination: Destination, output: Output) -> list[ItemStatus]:
    absent = [one for one in ours if one.state is State.ABSENT]
    items = [one.item for one in ours]
    with _advised("run the same again to go on: what is there is not sent twice"):
        for number, one in enumerate(absent, 1):
            with output.step(f"send {number}/{len(absent)}") as step:
                destination.send(one.item)
                step.text = f"{one.item.name}, {human_size(one.item.size)}, to {destination.name}"
        with output.step("settle") as step:
            destination.settle(items)
            there = destination.look(items)
            step.text = f"{destination.name}: {len(there)} of {many(len(ours), 'file')} there"
            step.kept = not absent
    wrong = [one.item.name for one in ours if there.get(one.item.name) != one.item.sha256]
    if wrong:
        raise ReleaseError(
            f"{destination.name} took the files, but does not give them back",
            details=wrong,
            hint="an index may lag behind: run the same again in a minute, nothing is sent twice",
        )
    return [
        ItemStatus(
            item=one.item,
            destination=one.destination,
            state=State.SENT if one.state is State.ABSENT else one.state,
        )
        for one in ours
    ]


@contextmanager
def _advised(advice: str) -> Iterator[None]:
    """Add to an error's next step what a destination cannot know: how far the release has come."""
    try:
        yield
    except DiptychError as error:
        hint = "; ".join(filter(None, (error.hint, advice)))
        raise type(error)(error.summary, details=error.details, hint=hint, place=error.place) from error


def _status(item: Item, destination: Destination, found: str) -> ItemStatus:
    state = State.ABSENT if not found else State.SAME if found == item.sha256 else State.OTHER
    return ItemStatus(
        item=item,
        destination=destination.name,
        state=state,
        found=found if state is State.OTHER else "",
    )
