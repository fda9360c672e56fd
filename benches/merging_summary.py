"""Medians of what benches/merging.sh has measured, and the ratios that say something.

usage: merging_summary.py table RESULTS   or   merging_summary.py bears RESULTS (calls/s of 64 callers that are not merged)
"""
import re
import statistics
import sys

LINE = re.compile(r"(\S+) (\S+) conc=(\d+) n=\d+ rps=(\d+) p50=(\d+)us p99=(\d+)us max=\d+us cpu/req=([\d.]+)us errors=(\d+)")
runs = {}
for line in open(sys.argv[2]):
    case, way, callers, *figures = LINE.match(line).groups()
    runs.setdefault((case, int(callers), way), []).append([float(figure) for figure in figures])
RATE, P50, P99, CPU, ERRORS = range(5)


def median(case, callers, way, figure):
    return statistics.median(run[figure] for run in runs[case, callers, way])


if sys.argv[1] == "bears":
    print(int(statistics.median(run[RATE] for key, of_key in runs.items() if key[1:] == (64, "plain") for run in of_key)))
    sys.exit()

print(f"\n{'case':10} {'callers':>7} {'way':>16} {'calls/s':>8} {'p50 ms':>8} {'p99 ms':>8} {'CPU µs':>7} {'errors':>6}")
for case, callers, way in runs:
    rate, p50, p99, cpu = (median(case, callers, way, figure) for figure in (RATE, P50, P99, CPU))
    errors = sum(run[ERRORS] for run in runs[case, callers, way])
    print(f"{case:10} {callers:7} {way:>16} {rate:8.0f} {p50 / 1e3:8.2f} {p99 / 1e3:8.2f} {cpu:7.1f} {errors:6.0f}")

print("\nmerged beside not merged: calls/s, p50, p99; and calls/s beside the best by hand")
for case, callers, way in runs:
    other = {"merged": "plain", "async-merged": "async"}.get(way) or re.sub(r"-merged", "", way)
    if other == way or (case, callers, other) not in runs:
        continue
    ratio = [median(case, callers, way, figure) / max(median(case, callers, other, figure), 1) for figure in (RATE, P50, P99)]
    by_hand = [median(*key, RATE) for key in runs if key[:2] == (case, callers) and key[2].startswith("hand")]
    best = f"  {median(case, callers, way, RATE) / max(by_hand):5.2f} of the best by hand" if by_hand else ""
    print(f"{case:10} {callers:7} {way:>16}  {ratio[0]:6.2f} times calls/s, p50 {ratio[1]:6.3f}, p99 {ratio[2]:6.3f}{best}")
