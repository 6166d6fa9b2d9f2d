"""What the policy pack costs without Pulumi's engine: many resources through the rules, in seconds and memory.

`python -m tests.bench.policies RESOURCES` prints both of one run, in a new interpreter: memory does not go back.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date

from components.kafka_plan import plan_kafka
from components.settings import read_settings
from policies.adapter import plain
from policies.configuration import Level
from policies.manifest import Manifest, manifest
from policies.session import Session
from tests.bench.figures import Growth, Rules, best
from tests.own import rendered
from tests.stack import ROOT

SIZES = (1250, 2500, 5000, 10_000)


def rules(repeats: int) -> Rules:
    """Measures each of `SIZES` in an interpreter of its own: the best of `repeats`, taken in turns."""
    seconds: dict[int, list[float]] = {size: [] for size in SIZES}
    memory: list[float] = []
    for _ in range(repeats):
        for size in SIZES:
            command = [sys.executable, "-m", "tests.bench.policies", str(size)]
            found = json.loads(subprocess.check_output(command, cwd=ROOT, text=True))
            seconds[size].append(found["seconds"])
            if size == max(SIZES):
                memory.append(found["memory"])
    return Rules(Growth({size: best(each) for size, each in seconds.items()}), best(memory))


def fleet(resources: int) -> Iterator[Manifest]:
    """As many resources of Kafka clusters as this project's components make them, one cluster after the other."""
    given = {
        "cluster": {"kind": "existing", "zones": ["zone-a", "zone-b", "zone-c"]},
        "kafka": {"storage": {"size": "1Gi"}, "resources": {"cpu": "1", "memory": "2Gi", "heap": "1Gi"}},
        "topics": [],
    }
    settings = read_settings(given)
    plan = plan_kafka(settings.kafka, settings.cluster.zones, "bench")
    texts = [json.dumps(one) for one in rendered(plan)]
    for number in range(resources):
        cluster, kind = divmod(number, len(texts))
        namespace = f'"namespace": "kafka-{cluster}"'
        text = texts[kind].replace(f'"namespace": "{settings.kafka.namespace}"', namespace)
        content = plain(json.loads(text))  # as the pack makes it of what Pulumi hands out
        assert isinstance(content, dict)
        yield manifest(content, f"urn:{number}")


def _run(resources: int) -> None:
    session = Session(date(2026, 1, 1))
    told, seconds = 0, 0.0
    for one in fleet(resources):  # as in a preview: each is shown as it comes
        start = time.perf_counter()
        session.show(one.subject, "", one)
        seconds += time.perf_counter() - start
        told += len(session.waiting(one.subject, Level.MANDATORY))
    start = time.perf_counter()
    told += len([message for level, message, _ in session.end([]) if level is Level.MANDATORY])
    seconds += time.perf_counter() - start
    if told:
        raise SystemExit(f"the rules refuse {told} of the resources that they should pass")
    # Linux counts in KiB.
    print(json.dumps({"seconds": seconds, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    _run(int(sys.argv[1]))
