#!/usr/bin/env python3
"""Draws the panels of grafana.json from what a Prometheus has: picture.py http://HOST:PORT SECONDS OUT.png

It is no screenshot of Grafana: matplotlib (Debian: python3-matplotlib) draws the same expressions of the same panels.
"""
import json
import re
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

URL, SECONDS, OUT = sys.argv[1], int(sys.argv[2]), sys.argv[3]
NOW = time.time()
STEP = max(1, SECONDS // 200)


def ask(path, **words):
    query = urllib.parse.urlencode(words)
    with urllib.request.urlopen(f"{URL}/api/v1/{path}?{query}", timeout=60) as answer:
        return json.load(answer)["data"]["result"]


def filled(expression):
    return expression.replace("$__rate_interval", "30s").replace("$instance", ".*")


def legend(target, labels):
    name = re.sub(r"\{\{(\w+)\}\}", lambda m: labels.get(m.group(1), ""), target["legendFormat"])
    return name or labels.get("name", "")


def stat(ax, panel):
    rows = ask("query", query=filled(panel["targets"][0]["expr"]), time=NOW)
    value = float(rows[0]["value"][1]) if rows else float("nan")
    text = f"{value / 86400:.1f} days" if panel["fieldConfig"]["defaults"]["unit"] == "s" else f"{value:g}"
    ax.text(0.5, 0.4, text, ha="center", va="center", fontsize=18)
    ax.axis("off")


def series(ax, panel):
    drawn = 0
    for target in panel["targets"]:
        for row in ask("query_range", query=filled(target["expr"]), start=NOW - SECONDS, end=NOW, step=STEP):
            points = [(float(at) - NOW, float(value)) for at, value in row["values"]]
            ax.plot(*zip(*points), linewidth=1.2, label=legend(target, row["metric"]))
            drawn += 1
    ax.set_xlim(-SECONDS, 0)
    ax.set_ylim(bottom=0)
    ax.tick_params(labelsize=7)
    ax.grid(alpha=0.3)
    if drawn:
        ax.legend(fontsize=6, loc="upper left")
    else:
        ax.text(0.5, 0.5, "no data", ha="center", transform=ax.transAxes, fontsize=8)


def table(ax, panel):
    rows = ask("query", query=filled(panel["targets"][0]["expr"]), time=NOW)
    cells = [[row["metric"].get(key, "") for key in ("kind", "name", "compliance", "policy", "state")] for row in rows]
    ax.axis("off")
    if cells:
        ax.table(cellText=cells[:8], colLabels=["kind", "name", "compliance", "policy", "state"], loc="center").set_fontsize(7)


panels = json.loads((Path(__file__).parent / "grafana.json").read_text())["panels"]
bottom = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
figure = plt.figure(figsize=(12, bottom * 0.32))
for panel in panels:
    at = panel["gridPos"]
    ax = figure.add_axes(
        [at["x"] / 24 + 0.03, 1 - (at["y"] + at["h"]) / bottom + 0.012, at["w"] / 24 - 0.045, at["h"] / bottom - 0.034]
    )
    ax.set_title(panel["title"], fontsize=8)
    {"stat": stat, "timeseries": series, "table": table}[panel["type"]](ax, panel)
figure.savefig(OUT, dpi=72)
