"""Cisco's unicon with its plugin for StarOS, before a shell."""

import json
import logging
import sys

from unicon import Connection
from unicon.core.errors import SubCommandFailure

logging.disable(logging.CRITICAL)
device = None


def answer(request):
    global device
    op = request["op"]
    if op == "connect":
        device = Connection(
            hostname=request["hostname"],
            start=[request["start"]],
            os="staros",
            credentials={"default": request.get("credentials", {})},
            log_stdout=False,
            logfile="/dev/null",
        )
        device.connect(connection_timeout=request["limit_s"])
        return {"state": device.state_machine.current_state}
    if op == "execute":
        text = device.execute(request["command"], timeout=request["limit_s"])
        return {"text": text, "state": device.state_machine.current_state}
    if op == "configure":
        done = device.configure(request["commands"], timeout=request["limit_s"])
        return {"text": done, "state": device.state_machine.current_state}
    device.disconnect()
    return {}


for line in sys.stdin:
    try:
        said = answer(json.loads(line))
    except SubCommandFailure as error:
        said = {"failure": str(error)}
    except Exception as error:
        said = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(said), flush=True)
