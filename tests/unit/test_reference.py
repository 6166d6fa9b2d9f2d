"""docs/settings.md is what the models say."""

import re

import pytest

from components.kinds import KINDS
from components.reference import PAGE, page


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == page(), "run python -m components.reference"


@pytest.mark.parametrize(
    "row",
    [
        "| `storage.size` | quantity, as `1Gi` or `500m` | `10Gi` | Size of each volume;",
        "| `brokers` | number, ≥ 1, ≤ 1000 | follows | Number of brokers;",
        "| `faultTolerance` | `1` or `2` | `1` |",
        "| `security.issuer.name` | text | needed |",
        "| `allow[].resource` | `topic` or `group` or `transactional-id` or `cluster` | needed |",
        "| `metrics.dashboardLabels` | table of texts | `grafana_dashboard: 1` |",
    ],
)
def test_a_setting_is_told_with_type_default_and_meaning(row: str) -> None:
    assert f"\n{row}" in page()


def test_each_kind_of_cluster_has_its_table() -> None:
    assert re.findall(r"^### kind: (.+)$", page(), re.MULTILINE) == list(KINDS)
