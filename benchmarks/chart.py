"""The results as a picture: a line for each operation, a dot for each contender, on a scale where each step is ten times the last.

Written as SVG by hand, so that nothing has to be installed for it.
"""

from __future__ import annotations

import math
from typing import Any
from xml.sax.saxutils import escape

from operations import OPERATIONS

COLOURS = {
    "raw": "#6e7781",
    "activeassoc": "#cf222e",
    "peewee": "#0969da",
    "sqlalchemy": "#8250df",
    "django": "#1a7f37",
    "pony": "#bf8700",
    "tortoise": "#0a7c8c",
    "sequelize": "#24292f",
}
LABELS, WIDTH, LINE, TOP, RIGHT = 430, 560, 26, 64, 30


def drawn(results: dict[str, Any]) -> str:
    """The chart of one store's results."""
    operations = results["operations"]
    contenders = [each for each in COLOURS if any(each in found for found in operations.values())]
    most = max((one["ratio"] for found in operations.values() for one in found.values()), default=1.0)
    decades = max(1, math.ceil(math.log10(max(most, 1.0001))))
    bottom = TOP + LINE * len(operations)
    total = LABELS + WIDTH + RIGHT

    def across(ratio: float) -> float:
        return round(LABELS + WIDTH * max(0.0, math.log10(max(ratio, 1e-9))) / decades, 1)

    told = f"{results['server']}, {results['python']}, {results['date']}: time as a multiple of hand-written SQL on the driver"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="{bottom + 40}" viewBox="0 0 {total} {bottom + 40}" '
        'font-family="system-ui, sans-serif" font-size="12" fill="#24292f">',
        f"<title>{escape(told)}</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<text x="16" y="22" font-weight="bold">{escape(told)}</text>',
    ]
    step = (total - 32) // max(1, len(contenders))
    for at, contender in enumerate(contenders):
        lines.append(f'<circle cx="{22 + at * step}" cy="42" r="5" fill="{COLOURS[contender]}"/>')
        lines.append(f'<text x="{31 + at * step}" y="46">{escape(contender)}</text>')
    for tick in (factor * 10**decade for decade in range(decades) for factor in (1, 2, 5)):
        lines.append(f'<line x1="{across(tick)}" y1="{TOP}" x2="{across(tick)}" y2="{bottom}" stroke="#d0d7de"/>')
        lines.append(f'<text x="{across(tick)}" y="{bottom + 18}" text-anchor="middle">{tick}×</text>')
    for at, (name, found) in enumerate(operations.items()):
        y = TOP + LINE * at + LINE // 2
        lines.append(f'<text x="{LABELS - 14}" y="{y + 4}" text-anchor="end">{escape(OPERATIONS[name].title)}</text>')
        lines.append(f'<line x1="{LABELS}" y1="{y}" x2="{LABELS + WIDTH}" y2="{y}" stroke="#eaeef2"/>')
        # The library's own dot last, so that no other hides it.
        for contender in sorted(found, key=lambda each: each == "activeassoc"):
            tip = f"{contender}: {found[contender]['ratio']:.2f}×"
            radius = 6 if contender == "activeassoc" else 5
            lines.append(
                f'<circle cx="{across(found[contender]["ratio"])}" cy="{y}" r="{radius}" fill="{COLOURS[contender]}" '
                f'fill-opacity="0.85"><title>{escape(tip)}</title></circle>'
            )
    return "\n".join([*lines, "</svg>", ""])
