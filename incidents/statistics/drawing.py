"""A sheet of SVG: shapes and texts that are always escaped, in colours that a page may set. Pure.

Colours are custom properties with a default for light and for dark; without any style all is drawn in `currentColor`.
"""

from html import escape

STYLE = """
svg.figures{color:var(--ink,#1c2024);font-family:system-ui,sans-serif}
.figures text{fill:currentColor;fill-opacity:1}.figures .soft{fill:var(--soft,#5b6470)}
.figures .rule{stroke:var(--line,#d8dce2);stroke-opacity:1}
.figures .SEV1{fill:var(--SEV1,#b3121d)}.figures .SEV2{fill:var(--SEV2,#d4570a)}
.figures .SEV3{fill:var(--SEV3,#a37b00)}.figures .SEV4{fill:var(--SEV4,#2a6fb0)}
.figures .day{fill:var(--day,#8fb0d6)}.figures .night{fill:var(--night-bar,#2c3f6b)}
.figures .good{fill:var(--good,#2f8557)}.figures .bad{fill:var(--bad,#c2571a)}.figures .wait{fill:var(--line,#d8dce2)}
.figures .bar{fill-opacity:1}.figures .dot{fill:var(--accent,#2a6fb0);fill-opacity:1}
.figures .median{stroke:var(--accent,#2a6fb0)}
.figures .p90{stroke:var(--soft,#5b6470)}
@media (prefers-color-scheme:dark){svg.figures{color:var(--ink,#e8eaed)}.figures .soft{fill:var(--soft,#9aa3ae)}
.figures .rule{stroke:var(--line,#333a43)}
.figures .SEV1{fill:var(--SEV1,#ff6b70)}.figures .SEV2{fill:var(--SEV2,#ff9a4d)}
.figures .SEV3{fill:var(--SEV3,#e6c14a)}.figures .SEV4{fill:var(--SEV4,#7db8f0)}
.figures .day{fill:var(--day,#5d7ea6)}.figures .night{fill:var(--night-bar,#c3d4f2)}
.figures .good{fill:var(--good,#5fbf8b)}.figures .bad{fill:var(--bad,#ff9a4d)}.figures .wait{fill:var(--line,#333a43)}
.figures .dot{fill:var(--accent,#7db8f0)}.figures .median{stroke:var(--accent,#7db8f0)}
.figures .p90{stroke:var(--soft,#9aa3ae)}}
"""
WIDTH = 960.0
NARROW = 320.0  # about what a phone shows across, so that texts are as large as the words beside the picture


class Sheet:
    """Shapes on a sheet so many units across; `render` makes the picture of them."""

    def __init__(self, height: float, title: str, description: str, *, width: float = WIDTH) -> None:
        self.width = width
        self._height = height
        self._parts = [f"<title>{_text(title)}</title><desc>{_text(description)}</desc><style>{STYLE}</style>"]

    @property
    def is_narrow(self) -> bool:
        """Whether it is drawn for a phone."""
        return self.width <= NARROW

    def text(self, x: float, y: float, text: str, *, kind: str = "", size: int = 13, anchor: str = "start") -> None:
        """Write a text; `kind` `soft` is for what is said beside."""
        weight = ' font-weight="600"' if kind == "head" else ""
        self._parts.append(
            f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"'
            f' fill="currentColor"{weight}>{_text(text)}</text>'
        )

    def line(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """Draw a line of the grid."""
        self._parts.append(
            f'<line class="rule" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="currentColor"'
            ' stroke-opacity="0.3"/>'
        )

    def bar(
        self, x: float, y: float, width: float, height: float, *, kind: str, says: str, strength: float = 1
    ) -> None:
        """Draw a bar that says something to whoever points at it; one without any extent is left out."""
        if width <= 0 or height <= 0:
            return
        self._parts.append(
            f'<rect class="bar {kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
            f' fill="currentColor" fill-opacity="{strength}"><title>{_text(says)}</title></rect>'
        )

    def path(self, points: list[tuple[float, float]], *, kind: str) -> None:
        """Draw a line through points; `p90` is dashed, so that it is told from the median without its colour."""
        dashes = ' stroke-dasharray="4 4"' if kind == "p90" else ""
        through = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._parts.append(
            f'<polyline class="{kind}" points="{through}" fill="none" stroke="currentColor" stroke-width="2"{dashes}/>'
        )

    def dot(self, x: float, y: float, says: str) -> None:
        """Draw a point that says something to whoever points at it."""
        self._parts.append(
            f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="currentColor">'
            f"<title>{_text(says)}</title></circle>"
        )

    def render(self) -> str:
        """Return the picture, which stands by itself or in a page."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="figures" role="img" viewBox="0 0 {self.width:.0f}'
            f' {self._height:.0f}">{"".join(self._parts)}</svg>\n'
        )


def _text(text: str) -> str:
    """Return a text as XML can bear it: what an alert named is only text."""
    return escape("".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text))
