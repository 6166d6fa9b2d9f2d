"""Times as a reader wants them."""


def seconds(value: float) -> str:
    """A duration, with as many digits as are worth reading."""
    if value < 0.9995:
        return f"{value * 1000:.0f} ms"
    if value < 9.995:
        return f"{value:.2f} s"
    if value < 119.95:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def moment(value: float) -> str:
    """A time before or after the fault."""
    return f"{value:+.2f} s".replace("-", "−")  # noqa: RUF001 (a minus as wide as the plus)
