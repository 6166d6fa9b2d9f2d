"""Looks at the brokers several times a second while something happens to them."""

import threading
from collections.abc import Callable

from tests.live.cluster import Cluster, is_ready


class Watch:
    """The most brokers that were not ready, and the fewest in-sync replicas of any partition, at any look."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster, self._end = cluster, threading.Event()
        looks = (self._pods, self._isr)
        self._threads = [threading.Thread(target=self._run, args=(look,), daemon=True) for look in looks]
        self._brokers = cluster.stateful_set().spec.replicas
        self.most_unready, self.fewest_in_sync, self.looks = 0, self._brokers, 0

    def __enter__(self) -> "Watch":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _run(self, look: Callable[[], None]) -> None:
        while not self._end.wait(0.3):
            look()

    def _pods(self) -> None:
        ready = sum(map(is_ready, self._cluster.brokers().values()))
        self.most_unready = max(self.most_unready, self._brokers - ready)

    def _isr(self) -> None:
        in_sync = [len(one.isr) for one in self._cluster.partitions()]
        self.fewest_in_sync = min([self.fewest_in_sync, *in_sync])
        self.looks += bool(in_sync)
