#!/usr/bin/env python3
"""Draws the medians of measured runs as bars.

    python3 benches/peers/chart.py benches/peers/results/peers.json docs/pictures/peers.svg

One model and one batch size, fastest first, and how many times ours each takes.
Needs Python 3.9, and nothing else.
"""

import argparse
import json
import pathlib
from xml.sax.saxutils import escape

import programs
import table

WIDTH, BAR, GAP, TOP, BOTTOM = 760, 22, 10, 52, 34
# Where the bars begin, and how long the longest is.
LEFT, LONGEST = 232, 400

STYLE = """
text { font: 14px system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; fill: #1a1a1a }
.title { font-weight: 600; font-size: 15px }
.soft { fill: #5a6068; font-size: 12px }
.ours { font-weight: 600 }
rect { fill: #a3abb5 }
rect.ours { fill: #0072b2 }
@media (prefers-color-scheme: dark) {
  text { fill: #e8eaed } .soft { fill: #a3abb5 } rect { fill: #5a6068 } rect.ours { fill: #4aa8e0 }
}
"""


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=pathlib.Path, help="peers.json, as run.py writes it")
    parser.add_argument("chart", type=pathlib.Path, help="the SVG file to write")
    parser.add_argument("--model", default="mlp", help="default mlp")
    parser.add_argument("--batch-size", type=int, default=32, metavar="N", help="default 32")
    return parser.parse_args()


def seconds_by_title(measured, model, batch_size):
    """The median of the training time of each program, fastest first."""
    runs = [run for run in measured["runs"]
            if (run["model"], run["batch_size"]) == (model, batch_size)]
    rows = []
    for program in [programs.Ours, *programs.PEERS]:
        its = [run for run in runs if run["name"] == program.name]
        if its:
            title = program.title.replace("`", "")
            rows.append((title, table.medians(its)["train_seconds"]))
    return sorted(rows, key=lambda row: row[1])


def chart(measured, rows, batch_size):
    """The SVG of `rows`."""
    ours = dict(rows)[programs.Ours.title]
    scale = LONGEST / max(seconds for _, seconds in rows)
    height = TOP + len(rows) * (BAR + GAP) + BOTTOM
    title = f"Training on MNIST, {measured['epochs']} epochs, minibatches of {batch_size}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
        f' width="{WIDTH}" height="{height}" role="img" aria-label="{escape(title)}">',
        f"<style>{STYLE}</style>",
        f'<text class="title" x="0" y="20">{escape(title)}: seconds, and times ours</text>']
    for number, (name, seconds) in enumerate(rows):
        top = TOP + number * (BAR + GAP) - 12
        middle, length = top + BAR / 2 + 5, max(seconds * scale, 2)
        is_ours = name == programs.Ours.title
        kind = ' class="ours"' if is_ours else ""
        said = f"{seconds:.2f} s" + ("" if is_ours else f", {seconds / ours:.1f}×")
        lines += [
            f'<text{kind} x="{LEFT - 10}" y="{middle:.0f}" text-anchor="end">{escape(name)}</text>',
            f'<rect{kind} x="{LEFT}" y="{top}" width="{length:.1f}" height="{BAR}" rx="3"/>',
            f'<text{kind} x="{LEFT + length + 8:.1f}" y="{middle:.0f}">{said}</text>']
    where = (f"{measured['machine']['cpu']}, {measured['threads']} threads; medians of"
             f" {measured['rounds']} interleaved rounds")
    lines += [f'<text class="soft" x="0" y="{height - 10}">{escape(where)}</text>', "</svg>", ""]
    return "\n".join(lines)


def main():
    options = arguments()
    measured = json.loads(options.results.read_text())
    rows = seconds_by_title(measured, options.model, options.batch_size)
    if programs.Ours.title not in dict(rows):
        raise SystemExit(f"{options.results}: mnistry has no run of {options.model} at batch"
                         f" {options.batch_size}")
    options.chart.parent.mkdir(parents=True, exist_ok=True)
    options.chart.write_text(chart(measured, rows, options.batch_size), encoding="utf-8")


if __name__ == "__main__":
    main()
