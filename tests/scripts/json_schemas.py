"""Judges documents by JSON schemas: a request a line, {"schema": ..., "document": ...}; answers {"errors": [...]}."""

import json
import sys

import jsonschema_rs

for line in sys.stdin:
    asked = json.loads(line)
    validator = jsonschema_rs.Draft202012Validator(asked["schema"])
    errors = [
        "/".join(str(part) for part in error.instance_path) + ": " + error.message[:300]
        for error in validator.iter_errors(asked["document"])
    ]
    print(json.dumps({"errors": errors}), flush=True)
