"""One drill at a time."""

import datetime
from typing import Any

import pytest
from kubernetes.client import ApiClient, V1Lease

from drills import lock
from drills.errors import Refused
from drills.kubernetes import ApiFailed
from drills.lock import Lock, lease, seconds_left

NOON = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)


class Leases:
    """The API server's side, with resource versions and a clock of its own."""

    def __init__(self) -> None:
        self.time = NOON
        self.held: dict[str, Any] | None = None
        self.away = False
        self._version = 0

    def now(self) -> datetime.datetime:
        return self.time

    def read(self) -> dict[str, Any]:
        if self.held is None:
            raise ApiFailed("not found", 404)
        return self.held

    def create(self, wanted: dict[str, Any]) -> dict[str, Any]:
        if self.held is not None:
            raise ApiFailed("exists", 409)
        return self._write(wanted)

    def replace(self, wanted: dict[str, Any]) -> dict[str, Any]:
        if self.away:
            raise ApiFailed("no answer")
        self._check(wanted)
        return self._write(wanted)

    def delete(self, wanted: dict[str, Any]) -> None:
        self._check(wanted)
        self.held = None

    def _check(self, wanted: dict[str, Any]) -> None:
        if self.read()["metadata"]["resourceVersion"] != wanted["metadata"]["resourceVersion"]:
            raise ApiFailed("changed", 409)

    def _write(self, wanted: dict[str, Any]) -> dict[str, Any]:
        self._version += 1
        self.held = wanted | {"metadata": wanted["metadata"] | {"resourceVersion": str(self._version)}}
        return self.held


def never(reason: str) -> None:
    raise AssertionError(reason)


def test_it_is_held_and_given_back() -> None:
    leases = Leases()
    with Lock(leases, "drain-leader", never) as held:
        assert leases.read()["spec"]["holderIdentity"] == held.holder
        assert "drain-leader" in held.holder
    assert leases.held is None


def test_a_second_drill_is_refused_and_told_whose_the_first_is() -> None:
    leases = Leases()
    with Lock(leases, "drain-leader", never) as held:
        leases.time += datetime.timedelta(seconds=12)
        with pytest.raises(Refused) as refusal, Lock(leases, "kill-leader", never):
            pass
        assert held.holder in str(refusal.value)
        assert "18 s" in str(refusal.value)
        assert leases.read()["spec"]["holderIdentity"] == held.holder


def test_one_that_has_run_out_is_taken_over() -> None:
    leases = Leases()
    leases.create(lease("somebody", NOON))
    leases.time += datetime.timedelta(seconds=lock.SECONDS + 1)
    with Lock(leases, "kill-leader", never) as held:
        assert leases.read()["spec"]["holderIdentity"] == held.holder


def test_of_two_that_take_it_at_once_one_is_refused() -> None:
    leases = Leases()
    stale = leases.create(lease("somebody", NOON))
    leases.time += datetime.timedelta(seconds=60)
    leases.read = lambda: stale  # type: ignore[method-assign]
    leases.replace(lease("faster", leases.time, stale["metadata"]["resourceVersion"]))
    leases.replace = _conflict  # type: ignore[method-assign]
    with pytest.raises(Refused, match="another drill has just begun"), Lock(leases, "slower", never):
        pass


def _conflict(wanted: dict[str, Any]) -> dict[str, Any]:
    raise ApiFailed("changed", 409)


def test_its_loss_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "_RENEW_SECONDS", 0.01)
    leases = Leases()
    told: list[str] = []
    with Lock(leases, "drain-leader", told.append) as held:
        leases.held = lease("somebody else", NOON) | {"metadata": {"resourceVersion": "99"}}
        held._thread.join(5)
    assert len(told) == 1
    assert "the lock of the cluster was lost" in told[0]
    assert leases.read()["spec"]["holderIdentity"] == "somebody else", "theirs is not deleted"


def test_an_api_server_that_is_away_for_a_moment_is_no_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "_RENEW_SECONDS", 0.01)
    leases = Leases()
    with Lock(leases, "drain-leader", never) as held:
        leases.away = True
        held._thread.join(0.1)
        leases.away = False
        leases.time += datetime.timedelta(seconds=20)
        held._thread.join(0.1)
        assert seconds_left(leases.read(), leases.time) == pytest.approx(lock.SECONDS)


def test_times_have_the_microseconds_that_the_api_server_wants() -> None:
    written = ApiClient().sanitize_for_serialization(V1Lease.from_dict(lease("a", NOON)))
    assert written["spec"]["renewTime"] == "2026-01-01T12:00:00.000001+00:00"


def test_a_lease_of_another_program_is_read_too() -> None:
    found = {"spec": {"holderIdentity": "a", "leaseDurationSeconds": 10, "renewTime": "2026-01-01T11:59:55.000000Z"}}
    assert seconds_left(found, NOON) == 5
    assert seconds_left({"spec": {}}, NOON) == 0
