"""prometheus_client as a reader of OpenMetrics, one JSON request a line in, one JSON answer a line out.

{"op": "read", "text": TEXT}
    -> {"families": [{"name": ..., "type": ..., "unit": ..., "help": ...,
                      "samples": [[NAME, {LABEL: VALUE}, NUMBER, null | [{LABEL: VALUE}, NUMBER, SECONDS]], ...]}],
        "plain": the same in the text format of Prometheus 0.0.4} or {"error": "what it says"}

The parser is the strict one: what OpenMetrics 1.0 forbids is an error.
"""
import json
import sys

from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families


class Read:
    """A registry of what was read."""

    def __init__(self, families):
        self.families = families

    def collect(self):
        return self.families


def told(sample):
    exemplar = sample.exemplar
    if exemplar is not None:
        exemplar = [exemplar.labels, exemplar.value, exemplar.timestamp and float(exemplar.timestamp)]
    return [sample.name, sample.labels, float(sample.value), exemplar]


def read(text):
    families = list(text_string_to_metric_families(text))
    rows = [
        {
            "name": family.name,
            "type": family.type,
            "unit": family.unit,
            "help": family.documentation,
            "samples": [told(sample) for sample in family.samples],
        }
        for family in families
    ]
    return {"families": rows, "plain": generate_latest(Read(families)).decode()}


for line in sys.stdin:
    try:
        answer = read(json.loads(line)["text"])
    except ValueError as error:
        answer = {"error": str(error)}
    print(json.dumps(answer), flush=True)
