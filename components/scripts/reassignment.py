"""Where replicas go: pure, deterministic, and no more moved than must be.

Kafka's own `kafka-reassign-partitions.sh --generate` deals all replicas out anew, whatever is where; so it executes
plans from here instead. The first replica of a partition is its preferred leader.
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise, permutations, product

from components.scripts.process import Refused

Key = tuple[str, int]
"""A partition: topic and index."""
Replicas = tuple[int, ...]
Assignment = Mapping[Key, Replicas]


def place(current: Assignment, racks: Mapping[int, str], factors: Mapping[str, int] | None = None) -> Assignment:
    """`current` with only those replicas moved that must be: off brokers that are not in `racks`, and out of racks that
    a partition crowds while others have room. `racks`: of the brokers that replicas may be on; `factors`: the
    replication factors that are to change, by topic.

    A partition that needs nothing keeps its replicas and their order. A new replica goes to the rack that has the
    fewest of its partition, there to the broker that holds the least. Raises Refused where a replication factor exceeds
    the brokers.
    """
    wanted = {key: (factors or {}).get(key[0], len(replicas)) for key, replicas in current.items()}
    if beyond := sorted({topic for (topic, _), factor in wanted.items() if factor > len(racks)}):
        most = max(wanted.values())
        raise Refused(
            f"{listed(beyond)} would have {most} replicas, and {len(racks)} brokers can hold one each. Keep {most} "
            "brokers, or lower the replication factor first."
        )
    brokers = _Brokers(racks, current)
    placed = {key: brokers.place(current[key], wanted[key]) for key in sorted(current)}
    return _lead(placed, [key for key in placed if placed[key] != current[key]])


def balance(current: Assignment, racks: Mapping[int, str]) -> Assignment:
    """As `place`, and then each broker holds as many replicas as the others of its rack, as all others where racks are
    of one size, and leads as many partitions as the others as far as it holds them.
    """
    placed = dict(place(current, racks))
    brokers = _Brokers(racks, placed)
    brokers.level_racks(placed)
    for rack in sorted(set(racks.values())):
        brokers.level(placed, rack)
    return _lead(placed, list(placed))


def starved(current: Assignment, brokers: Iterable[int]) -> list[int]:
    """Those that hold less than half of an even share, as new brokers do."""
    brokers = sorted(brokers)
    load = Counter(broker for replicas in current.values() for broker in replicas)
    return [broker for broker in brokers if 2 * load[broker] < load.total() // len(brokers)]


def listed(things: Sequence[object]) -> str:
    """The first three, and how many more there are."""
    more = f" and {len(things) - 3} more" if len(things) > 3 else ""
    return ", ".join(map(str, things[:3])) + more


class _Brokers:
    """The brokers that replicas may be on, their racks, and how many replicas each holds."""

    def __init__(self, racks: Mapping[int, str], assignment: Assignment) -> None:
        self._racks, self._size = racks, Counter(racks.values())
        self._load = Counter(broker for replicas in assignment.values() for broker in replicas if broker in racks)

    def place(self, replicas: Replicas, factor: int) -> Replicas:
        """One partition. New replicas stand last: one that has the records leads until they have them."""
        placed = tuple(broker for broker in replicas if broker in self._racks)
        while len(placed) > factor:
            placed = self._without(placed, self._crowded(placed))
        while len(placed) < factor:
            placed = self._with(placed, self._roomy(placed))
        while len(placed) < len(self._racks):
            held, old, new = self._held(placed), self._crowded(placed), self._roomy(placed)
            if held[self._racks[old]] - held[self._racks[new]] < 2:
                break
            placed = self._with(self._without(placed, old), new)
        return placed

    def level_racks(self, placed: dict[Key, Replicas]) -> None:
        """Moves the replicas that partitions have beyond an even share of the racks (one of four in three racks) to
        racks whose brokers hold less.
        """
        held = Counter(self._racks[broker] for replicas in placed.values() for broker in replicas)
        moved = True
        while moved:
            moved = False
            for (full, roomy), key in product(permutations(sorted(self._size), 2), sorted(placed)):
                # The racks' sum of squares, each over its size, must fall: so this ends.
                if (2 * held[full] - 1) * self._size[roomy] <= (2 * held[roomy] + 1) * self._size[full]:
                    continue
                own = self._held(placed[key])
                if own[full] == own[roomy] + 1 and own[roomy] < self._size[roomy]:
                    old, new = self._crowded(placed[key], full), self._roomy(placed[key], roomy)
                    placed[key], moved = self._with(self._without(placed[key], old), new), True
                    held[full] -= 1
                    held[roomy] += 1

    def level(self, placed: dict[Key, Replicas], rack: str) -> None:
        """Moves replicas within a rack until no broker holds two more than another: those of topics that are spread the
        worst first, leaders last.
        """
        brokers = [broker for broker in sorted(self._racks) if self._racks[broker] == rack]
        on = {broker: {key for key in placed if broker in placed[key]} for broker in brokers}
        while True:
            old, new = max(brokers, key=lambda one: self._load[one]), min(brokers, key=lambda one: self._load[one])
            if self._load[old] - self._load[new] < 2:
                return
            of_topic = Counter(topic for topic, _ in on[old])
            of_topic.subtract(topic for topic, _ in on[new])
            key = min(on[old] - on[new], key=lambda key: (-of_topic[key[0]], placed[key][0] == old, key))
            placed[key] = self._with(self._without(placed[key], old), new)
            on[old].remove(key)
            on[new].add(key)

    def _held(self, replicas: Replicas) -> Counter[str]:
        """How many of a partition's replicas each rack has."""
        return Counter(self._racks[broker] for broker in replicas)

    def _crowded(self, replicas: Replicas, rack: str | None = None) -> int:
        """The replica to give up, of the fullest rack or of `rack`: not the leader if that can be, then of the broker
        that holds the most.
        """
        held = self._held(replicas)
        given = [broker for broker in replicas if rack in (None, self._racks[broker])]
        return max(given, key=lambda one: (held[self._racks[one]], one != replicas[0], self._load[one], one))

    def _roomy(self, replicas: Replicas, rack: str | None = None) -> int:
        """The broker to add, of the emptiest rack or of `rack`: the one that holds the least."""
        held = self._held(replicas)
        free = [one for one in self._racks if one not in replicas and rack in (None, self._racks[one])]
        return min(free, key=lambda one: (held[self._racks[one]], self._load[one], one))

    def _with(self, replicas: Replicas, broker: int) -> Replicas:
        self._load[broker] += 1
        return (*replicas, broker)

    def _without(self, replicas: Replicas, broker: int) -> Replicas:
        self._load[broker] -= 1
        return tuple(one for one in replicas if one != broker)


def _lead(placed: Assignment, movable: Iterable[Key]) -> Assignment:
    """`placed`, with the leaders of `movable` partitions spread: no broker could pass leaders on, by way of others, to
    one that leads two fewer. Such paths give the best there is (semi-matching; Harvey, Ladner, Lovász, Tamir 2006).
    """
    led = Counter(replicas[0] for replicas in placed.values())
    result = dict(placed)
    # By leader and by one that could lead instead: the partitions.
    options: dict[int, dict[int, set[Key]]] = {}

    def file(key: Key) -> None:
        leader, *others = result[key]
        for other in others:
            options.setdefault(leader, {}).setdefault(other, set()).add(key)

    for key in movable:
        file(key)
    while path := _path(led, options):
        for leader, successor in pairwise(path):
            key = min(options[leader][successor])
            for other in result[key][1:]:
                options[leader][other].discard(key)
            result[key] = (successor, *(broker for broker in result[key] if broker != successor))
            file(key)
            led[leader] -= 1
            led[successor] += 1
    return result


def _path(led: Counter[int], options: Mapping[int, Mapping[int, Iterable[Key]]]) -> list[int] | None:
    """The shortest way from a broker that leads too many to one that leads at least two fewer."""
    for start in sorted(options, key=lambda broker: (-led[broker], broker)):
        came: dict[int, int] = {start: start}
        queue = deque([start])
        while queue:
            broker = queue.popleft()
            if led[start] - led[broker] >= 2:
                path = [broker]
                while broker != start:
                    broker = came[broker]
                    path.append(broker)
                return path[::-1]
            for successor, keys in sorted(options.get(broker, {}).items()):
                if keys and successor not in came:
                    came[successor] = broker
                    queue.append(successor)
    return None
