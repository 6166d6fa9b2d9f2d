"""The measurement of failover: percentiles, bounds, and what is written down."""

import json
from dataclasses import asdict

import pytest

from components.kafka_user import _client_properties
from components.listeners import MECHANISM
from tests.bench.failover.__main__ import page
from tests.bench.failover.costs import anonymous, login
from tests.bench.failover.figures import Figure, Round, Row, dates, figure_rows, percentile, recorded, rows

ROUNDS = [
    Round("components", "drain", {"default": 0.1 * number, "exported": 0.1}, {"default": number % 2, "exported": 0})
    for number in range(1, 11)
]
FIGURES = [Figure("components", "roll (s)", seconds) for seconds in (50.0, 40.0, 45.0)]


@pytest.mark.parametrize(("share", "found"), [(0.5, 5), (0.95, 10), (1.0, 10), (0.1, 1)])
def test_a_percentile_is_the_nearest_rank(share: float, found: int) -> None:
    assert percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], share) == found


def test_a_percentile_of_nothing_is_none() -> None:
    with pytest.raises(ValueError, match="of nothing"):
        percentile([], 0.5)


def test_each_client_has_its_row_and_its_bound() -> None:
    default, exported = rows(ROUNDS)
    assert default.cells == ("drain", "default", "components", "10", "0.50", "1.00", "1.00", "5", "0.3")
    assert default.missed == "drain, client default: the 95th percentile is 1.00 s, at most 0.3 s is wanted"
    assert (exported.gaps, exported.errors, exported.missed) == ((0.1,) * 10, 0, "")


def test_the_plain_manifest_has_no_bound() -> None:
    slow = Row("plain", "drain", "default", (9.0,), 0)
    assert (slow.bound, slow.missed) == (None, "")


def test_figures_are_shown_with_their_range() -> None:
    assert figure_rows(FIGURES) == [("roll (s)", "components", "3", "45.0", "40.0", "50.0")]


def test_what_is_written_down_is_read_again() -> None:
    written = [json.dumps({"date": "2026-01-01", **asdict(one)}) for one in FIGURES]
    written += [json.dumps({"date": "2026-01-02", **asdict(one)}) for one in ROUNDS]
    assert recorded(written) == (ROUNDS, FIGURES)
    assert dates(written) == "2026-01-01, 2026-01-02"


def test_the_page_tells_what_is_missed() -> None:
    written = page(rows(ROUNDS), FIGURES, "2026-01-01", "a machine")
    assert "- Verdict: drain, client default: the 95th percentile is 1.00 s" in written
    assert "| drain | exported | components | 10 | 0.10 | 0.10 | 0.10 | 0 | 0.3 |" in written
    assert "| roll (s) | components | 3 | 45.0 | 40.0 | 50.0 |" in written


def test_a_secured_client_differs_by_its_login_alone() -> None:
    recommended = f"acks=1\nrequest.timeout.ms=1500\nsecurity.protocol=SASL_SSL\nsasl.mechanism={MECHANISM}\n"
    found = login(_client_properties("costs", "b0:9092", recommended, "x", "-----BEGIN\nabc\n"))
    assert [line.partition("=")[0] for line in found.splitlines()] == [
        "security.protocol",
        "sasl.mechanism",
        "sasl.jaas.config",
        "ssl.truststore.type",
        "ssl.truststore.certificates",
    ]


def test_memory_that_is_of_a_file_is_not_counted() -> None:
    status = "Name:\tjava\nVmRSS:\t  614400 kB\nRssAnon:\t  512000 kB\nRssFile:\t  102400 kB\n"
    assert anonymous(status) == 500
