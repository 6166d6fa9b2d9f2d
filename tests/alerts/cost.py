"""What the exporter costs a node: `python -m tests.alerts.cost`, about 5 minutes. Memory beside a heap that is there
from the start, and CPU of a minute with a scrape each 5 s, with the agent and without, in turns.
"""

import os
import tempfile
import time
import urllib.request
from pathlib import Path
from statistics import mean
from typing import NamedTuple

from components.checker.agent import agent
from components.metrics_settings import Agent
from tests.alerts.cluster import PLAN
from tests.local_kafka import JARS, free_ports, local_kafka

_ROUNDS, _SETTLES, _SECONDS, _EVERY = 2, 20, 60, 5
_WHOLE_HEAP = "-Xms256m -XX:+AlwaysPreTouch"


class Cost(NamedTuple):
    """Of one run: MiB that are resident, seconds of CPU, bytes of a scrape."""

    memory: float
    cpu: float
    size: int


def measured(*, exporting: bool) -> Cost:
    """A node that does nothing, and is scraped if it exports."""
    with tempfile.TemporaryDirectory() as name:
        folder, (port,) = Path(name), free_ports(1)
        rules = folder / "metrics.yaml"
        rules.write_text(PLAN.files(PLAN.brokers)[rules.name])
        jar = agent(Agent().url, Agent().sha256, JARS.parent)
        os.environ["JAVA_TOOL_OPTIONS"] = _WHOLE_HEAP + (f" -javaagent:{jar}={port}:{rules}" if exporting else "")
        with local_kafka(folder, "4.3"):
            [process] = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
            time.sleep(_SETTLES)
            before, size, end = _cpu(process), 0, time.monotonic() + _SECONDS
            while time.monotonic() < end:
                if exporting:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
                        size = len(answer.read())
                time.sleep(_EVERY)
            return Cost(_memory(process), _cpu(process) - before, size)


def main() -> None:
    """Prints the means, and what the exporter adds."""
    runs: dict[bool, list[Cost]] = {False: [], True: []}
    for _ in range(_ROUNDS):
        for exporting, found in runs.items():
            found.append(measured(exporting=exporting))
            print(f"{'with' if exporting else 'without'} the exporter: {found[-1]}", flush=True)
    memory, cpu = (mean(one[part] for one in runs[True]) - mean(one[part] for one in runs[False]) for part in (0, 1))
    print(
        f"it adds {memory:.0f} MiB, and {cpu / (_SECONDS / _EVERY):.3f} s of CPU a scrape of {runs[True][0].size} bytes"
    )


def _cpu(process: str) -> float:
    user, system = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _memory(process: str) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


if __name__ == "__main__":
    main()
