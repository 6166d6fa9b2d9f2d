"""No cluster of this machine has a part in unit tests."""

import pytest

from components import kubectl


@pytest.fixture(autouse=True)
def empty_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster that is asked has nothing yet."""
    monkeypatch.setattr(kubectl, "get", lambda *arguments: [])
