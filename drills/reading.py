"""From the lines of the drill's pod to events. Pure; a line that says nothing of use gives none."""

import json
from collections.abc import Iterator
from typing import Any

from drills.model import Acknowledged, Consumed, Event, PartitionState, QuorumState, Read, SendFailed

ENDED = ("shutdown_complete", "ended")
"""Names of the lines after which a client has no more to say: by itself, and by `load.sh`."""
# What is sent while the producer is being closed was never handed to Kafka, and its caller was told so.
_CLOSED = "Cannot perform operation after producer has been closed"


def line_of(text: str) -> dict[str, Any]:
    """The object in a line of a tool; empty for another line, such as of a log."""
    if not text.startswith("{"):
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def producer_events(line: dict[str, Any], offset: float) -> Iterator[Event]:
    """Of VerifiableProducer. `offset`: seconds that the pod's clock is ahead."""
    match line.get("name"):
        case "producer_send_success":
            place = {"partition": line["partition"], "offset": line["offset"]}
            yield Acknowledged(at=_at(line, offset), value=int(line["value"]), **place)
        case "producer_send_error" if line.get("message") != _CLOSED:
            kind = line["exception"].rpartition(".")[2]
            yield SendFailed(at=_at(line, offset), value=int(line["value"]), error=kind)


def consumer_events(line: dict[str, Any], offset: float) -> Iterator[Event]:
    """Of VerifiableConsumer, reading along."""
    if line.get("name") == "records_consumed":
        for one in line["partitions"]:
            yield Consumed(
                at=_at(line, offset), partition=one["partition"], first=one["minOffset"], last=one["maxOffset"]
            )


def reader_events(line: dict[str, Any], offset: float) -> Iterator[Event]:
    """Of VerifiableConsumer with `--verbose`, at the final read."""
    if line.get("name") == "record_data":
        yield Read(at=_at(line, offset), partition=line["partition"], offset=line["offset"], value=int(line["value"]))


def monitor_events(line: dict[str, Any], offset: float) -> Iterator[Event]:
    """Of `drills.pods.monitor`."""
    if "partition" in line:
        fields = {key: line[key] for key in ("partition", "leader", "replicas", "isr", "min_isr")}
        yield PartitionState(at=line["at"] - offset, **fields)
    elif "quorum" in line:
        yield QuorumState(at=line["at"] - offset, leader=line["quorum"], voters=line["voters"])


def end_offsets(text: str, topic: str) -> dict[int, int]:
    """By partition, what `kafka-get-offsets.sh` says: a line `TOPIC:PARTITION:OFFSET` each."""
    lines = (line.rsplit(":", 2) for line in text.split())
    return {int(partition): int(offset or 0) for name, partition, offset in lines if name == topic}


def _at(line: dict[str, Any], offset: float) -> float:
    return float(line["timestamp"] / 1000 - offset)
