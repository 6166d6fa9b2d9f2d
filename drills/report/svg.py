"""Small pieces of SVG. All text goes through `Markup.format`, which escapes it."""

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from drills.report.scale import WIDTH, Scale

Span = tuple[float, float]
"""Begin and end."""


def drawing(height: int, parts: Iterable[Markup], title: str, desc: str) -> Markup:
    """A drawing that is stretched to the width it is given; its words are for those who can't see it."""
    return Markup(
        '<svg viewBox="0 0 {w} {h}" height="{h}" preserveAspectRatio="none" role="img">'
        "<title>{title}</title><desc>{desc}</desc>{parts}</svg>"
    ).format(w=WIDTH, h=height, title=title, desc=desc, parts=Markup("").join(parts))


def bars(spans: Iterable[Span], scale: Scale, y: float, height: float, css: str, *, always: bool = False) -> Markup:
    """A bar for each span that lies in the window. One that is too short to be seen is left out, or with `always` made
    wide enough: for what must not be overlooked.
    """
    least = max(1, WIDTH // scale.columns) * 2 if always else 0
    drawn: list[tuple[int, int]] = []
    for begin, end in spans:
        if end < scale.begin or begin > scale.end:
            continue
        left, right = scale.x(begin), scale.x(end)
        right = max(right, left + least)
        if drawn and left <= drawn[-1][1]:
            drawn[-1] = (drawn[-1][0], max(right, drawn[-1][1]))
        elif right > left:
            drawn.append((left, right))
    path = "".join(f"M{left} {y:g}h{right - left}v{height:g}h-{right - left}z" for left, right in drawn)
    return Markup('<path class="{css}" d="{path}"/>').format(css=css, path=path) if path else Markup("")


def area(values: Sequence[float], top: float, height: int, css: str) -> Markup:
    """Steps over the base line, one of equal width for each value; those from `top` on fill the height."""
    width, path, last = WIDTH / max(1, len(values)), f"M0 {height}", ""
    for index, value in enumerate(values):
        level = f"{height - min(1.0, value / (top or 1)) * height:.1f}".removesuffix(".0")
        if level != last:
            path += f"H{index * width:.1f}V{level}".replace(".0V", "V")
        last = level
    path += f"H{WIDTH}V{height}z"
    return Markup('<path class="{css}" d="{path}"/>').format(css=css, path=path)
