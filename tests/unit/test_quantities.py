import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.quantities import parse_duration, parse_quantity


@pytest.mark.parametrize(
    ("text", "milliseconds", "seconds"),
    [("250ms", 250, 1), ("30s", 30_000, 30), ("2m", 120_000, 120), ("1h", 3_600_000, 3600)],
)
def test_duration(text: str, milliseconds: int, seconds: int) -> None:
    duration = parse_duration(text)
    assert (duration.milliseconds, duration.seconds, str(duration)) == (milliseconds, seconds, text)


@pytest.mark.parametrize("value", ["30", "30 s", "-1s", "1.5s", "", "s", 30, None, True])
def test_no_duration(value: object) -> None:
    with pytest.raises(ValueError, match="such as 30s"):
        parse_duration(value)


@pytest.mark.parametrize(
    ("value", "amount"), [("1Gi", 2**30), ("500m", 0.5), ("2", 2), (2, 2), ("1.5Mi", 1.5 * 2**20), ("1G", 10**9)]
)
def test_quantity(value: object, amount: float) -> None:
    assert float(parse_quantity(value).amount) == amount


@pytest.mark.parametrize("value", ["", "Gi", "1 Gi", "1GB", "-1Gi", "0", "0Gi", None, True, 1.5, "१Gi"])
def test_no_quantity(value: object) -> None:
    with pytest.raises(ValueError, match="as in 1Gi"):
        parse_quantity(value)


@given(st.integers(1, 10**6), st.sampled_from(["", "m", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti"]))
def test_quantity_is_kept_as_written(number: int, suffix: str) -> None:
    text = f"{number}{suffix}"
    assert str(parse_quantity(text)) == text
    assert parse_quantity(parse_quantity(text)) == parse_quantity(text)
