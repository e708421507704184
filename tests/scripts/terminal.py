"""A program on a pseudo-terminal: what is typed, and what is waited for."""

import json
import sys

import pexpect

child = None


def answer(request):
    global child
    op = request["op"]
    if op == "open":
        program, *arguments = request["argv"]
        child = pexpect.spawn(
            program,
            arguments,
            env=request["env"],
            dimensions=(request["lines"], request["columns"]),
            encoding="utf-8",
            codec_errors="replace",
            echo=True,
        )
        child.delaybeforesend = None
        return {}
    if op == "type":
        child.send(request["text"])
        return {}
    if op == "resize":
        child.setwinsize(request["lines"], request["columns"])
        return {}
    wanted = pexpect.EOF if op == "end" else request["text"]
    try:
        child.expect_exact([wanted], timeout=request["limit_s"])
    except (pexpect.TIMEOUT, pexpect.EOF) as error:
        return {"error": f"{type(error).__name__}: {child.before!r}"}
    if op == "end":
        child.close()
        return {"seen": child.before, "code": child.exitstatus}
    return {"seen": child.before + child.after}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
