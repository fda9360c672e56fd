"""The plot of inference.py: requests/s and p99 over the number of connections, both logarithmic, as SVG."""

import html
import math

COLOURS = ["#1f77b4", "#ff7f0e", "#2ca02c"]
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 410, 230, 72, 30, 16, 38


def panel(title, lines, ticks, decades, unit):
    """`lines`: for each server its points (connections, value)."""
    low, high = decades
    inner_width, inner_height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x(connections):
        return LEFT + 12 + (inner_width - 24) * math.log(connections / ticks[0]) / math.log(ticks[-1] / ticks[0])

    def y(value):
        return TOP + inner_height * (1 - (math.log10(value) - low) / (high - low))

    out = [f'<rect width="{WIDTH - 8}" height="{HEIGHT - 8}" fill="white" stroke="#ccc"/>',
           f'<text x="8" y="18" font-weight="bold">{html.escape(title)}</text>']
    for decade in range(low, high + 1):
        at = y(10.0**decade)
        shown = f"{10**decade:,}".replace(",", " ") if decade >= 0 else f"{10.0**decade:g}"
        out.append(f'<path d="M{LEFT} {at:.1f}H{LEFT + inner_width}" stroke="#e4e4e4"/>'
                   f'<text x="{LEFT - 5}" y="{at + 4:.1f}" text-anchor="end">{shown}{unit}</text>')
    for connections in ticks:
        out.append(f'<text x="{x(connections):.1f}" y="{TOP + inner_height + 15}" text-anchor="middle">{connections}</text>')
    out.append(f'<text x="{LEFT + inner_width / 2}" y="{HEIGHT - 13}" text-anchor="middle" fill="#666">connections</text>')
    out.append(f'<path d="M{LEFT} {TOP}V{TOP + inner_height}H{LEFT + inner_width}" fill="none" stroke="#888"/>')
    for points, colour in zip(lines, COLOURS):
        at = [(x(connections), y(max(value, 10.0**low))) for connections, value in points]
        joined = " ".join(f"{left:.1f},{top:.1f}" for left, top in at)
        out.append(f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{left:.1f}" cy="{top:.1f}" r="3" fill="{colour}"/>' for left, top in at]
    return "".join(out)


def plot(medians, workers, connections, names):
    """`medians`: figures by (workers, connections, name)."""
    parts, figures = [], [("rate", "requests/s", ""), ("p99", "p99", " ms")]
    for row, (figure, words, unit) in enumerate(figures):
        values = [found[figure] for found in medians.values() if found[figure] > 0]
        decades = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        for column, count in enumerate(workers):
            lines = [[(at, medians[count, at, name][figure]) for at in connections] for name in names]
            drawn = panel(f"{words}, feast serve -w {count}", lines, connections, decades, unit)
            parts.append(f'<g transform="translate({WIDTH * column},{HEIGHT * row})">{drawn}</g>')
    bottom = HEIGHT * len(figures)
    for place, (name, colour) in enumerate(zip(names, COLOURS)):
        left = LEFT + 180 * place
        parts.append(f'<rect x="{left}" y="{bottom + 5}" width="14" height="4" fill="{colour}"/>'
                     f'<text x="{left + 20}" y="{bottom + 11}">{html.escape(name)}</text>')
    size = f'width="{WIDTH * len(workers)}" height="{bottom + 22}"'
    return (f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">'
            f'<rect width="100%" height="100%" fill="#f4f4f4"/>{"".join(parts)}</svg>\n')
