"""The times without an acknowledgement. Pure, and linear in the number of events. Times are seconds."""

from itertools import pairwise

from pydantic import BaseModel, ConfigDict, computed_field

from drills.history import Record
from drills.model import Acknowledged


class Gap(BaseModel):
    """A time without an acknowledgement."""

    model_config = ConfigDict(frozen=True)

    partition: int | None
    """None: of any partition."""
    begin: float
    end: float
    fault_share: float
    """How much of the fault's phase it took: 0 to 1."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def seconds(self) -> float:
        """How long it was."""
        return self.end - self.begin


def gaps(record: Record) -> tuple[dict[int, Gap], dict[int, float]]:
    """Of each partition: the longest gap from the first fault to the end of the load, and the longest one before."""
    acknowledged = record.of(Acknowledged)
    if not acknowledged:
        return {}, {}
    begin = record.rounds[0].fault if record.rounds else acknowledged[0].at
    last: dict[int, float] = {}
    longest: dict[int, tuple[float, float]] = {}
    before: dict[int, float] = {}
    for one in acknowledged:
        if one.at > record.load_end:
            break
        since = last.get(one.partition)
        last[one.partition] = one.at
        if one.at > begin:
            _keep_longer(longest, one.partition, begin if since is None else since, one.at)
        elif since is not None:
            before[one.partition] = max(before.get(one.partition, 0.0), one.at - since)
    for partition in record.partitions:
        _keep_longer(longest, partition, last.get(partition, begin), record.load_end)
    found = {partition: _gap(record, partition, *longest[partition]) for partition in record.partitions}
    return found, before


def silence(record: Record) -> Gap | None:
    """The longest time, from the first fault to the end of the load, without any acknowledgement."""
    times = [one.at for one in record.of(Acknowledged) if one.at <= record.load_end]
    if not times:
        return None
    begin = record.rounds[0].fault if record.rounds else times[0]
    pairs = [(since, at) for since, at in pairwise([*times, record.load_end]) if at > begin]
    return _gap(record, None, *max(pairs, key=lambda pair: pair[1] - pair[0])) if pairs else None


def _gap(record: Record, partition: int | None, begin: float, end: float) -> Gap:
    shares = [
        (min(end, one.fault_end) - max(begin, one.fault)) / (one.fault_end - one.fault)
        for one in record.rounds
        if one.fault_end > one.fault
    ]
    return Gap(partition=partition, begin=begin, end=end, fault_share=max(0.0, *shares, 0.0))


def _keep_longer(longest: dict[int, tuple[float, float]], partition: int, begin: float, end: float) -> None:
    known = longest.get(partition)
    if known is None or end - begin > known[1] - known[0]:
        longest[partition] = begin, end
