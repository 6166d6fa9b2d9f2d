"""A clock that only the test moves."""


class Clock:
    """In the place of the module `time`; each node's may have begun at another time, `offset`."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.offset = 0.0

    def monotonic(self) -> float:
        return self.now + self.offset

    def sleep(self, seconds: float) -> None:
        self.now += seconds
