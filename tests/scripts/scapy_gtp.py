"""GTPv1-C by scapy's contrib.gtp and GTPv2-C by its contrib.gtp_v2, one JSON request a line in, one JSON answer a line out.

{"op": "encode", "type": 16, "teid": 0, "seq": 7, "ies": [["IE_IMSI", {"imsi": "001010000000001"}], ...]} -> {"hex": "..."}
{"op": "decode", "hex": "..."} -> {"version": 1, "type": 17, "teid": 5, "seq": 7, "length": 40, "ies": [{"ie": "IE_Cause", ...}]}

"encode_v2" and "decode_v2" are the same for GTPv2-C. There a "teid" of null makes the header without one, a field may
itself be ["CLASS", {...}] or a list of those, and comes back as the fields of that class.
"""
import json
import sys

from scapy.contrib import gtp, gtp_v2
from scapy.fields import ConditionalField
from scapy.packet import Packet

BODIES = {
    1: gtp.GTPEchoRequest,
    2: gtp.GTPEchoResponse,
    16: gtp.GTPCreatePDPContextRequest,
    17: gtp.GTPCreatePDPContextResponse,
    18: gtp.GTPUpdatePDPContextRequest,
    19: gtp.GTPUpdatePDPContextResponse,
    20: gtp.GTPDeletePDPContextRequest,
    21: gtp.GTPDeletePDPContextResponse,
}


def unhexed(value):
    """A string that begins with hex: is bytes."""
    if isinstance(value, str) and value.startswith("hex:"):
        return bytes.fromhex(value[4:])
    return value


def encode(request):
    ies = [
        getattr(gtp, name)(**{key: unhexed(value) for key, value in fields.items()})
        for name, fields in request["ies"]
    ]
    header = gtp.GTPHeader(
        S=1, gtp_type=request["type"], teid=request["teid"], seq=request["seq"]
    )
    body = BODIES[request["type"]]
    message = header / (body(IE_list=ies) if body is not gtp.GTPEchoRequest else body())
    return {"hex": bytes(message).hex()}


def built(value):
    """A field's value, whatever is nested in it made a packet."""
    if isinstance(value, list) and value and isinstance(value[0], str):
        name, fields = value
        return getattr(gtp_v2, name)(**{key: built(field) for key, field in fields.items()})
    if isinstance(value, list):
        return [built(item) for item in value]
    return unhexed(value)


def encode_v2(request):
    teid = request["teid"]
    body = gtp_v2.GTPV2Command(IE_list=[built(ie) for ie in request["ies"]])
    header = gtp_v2.GTPHeader(
        P=0, T=int(teid is not None), gtp_type=request["type"], seq=request["seq"]
    )
    if teid is not None:
        header.teid = teid
    return {"hex": bytes(header / body).hex()}


def plain(value):
    if isinstance(value, Packet):
        return ie_fields(value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, int) and value >= 1 << 63:
        return str(value)
    if isinstance(value, bytes):
        text = value.decode("latin-1")
        return text if text and text.isascii() and text.isprintable() else "hex:" + value.hex()
    return value if isinstance(value, (int, str, type(None))) else str(value)


def ie_fields(ie):
    fields = {"ie": type(ie).__name__}
    for field in ie.fields_desc:
        if isinstance(field, ConditionalField) and not field._evalcond(ie):
            continue
        value = ie.getfieldval(field.name)
        if value is not None:
            fields[field.name] = plain(value)
    return fields


def decode(request):
    data = bytes.fromhex(request["hex"])
    message = gtp.GTPHeader(data)
    body = message.payload
    ies = getattr(body, "IE_list", None) or []
    return {
        "version": message.version,
        "body": type(body).__name__,
        "type": message.gtp_type,
        "length": message.length,
        "teid": message.teid,
        "seq": getattr(message, "seq", None),
        "ies": [ie_fields(ie) for ie in ies],
    }


def decode_v2(request):
    message = gtp_v2.GTPHeader(bytes.fromhex(request["hex"]))
    ies = getattr(message.payload, "IE_list", None) or []
    return {
        "version": message.version,
        "type": message.gtp_type,
        "length": message.length,
        "teid": message.teid if message.T else 0,
        "seq": message.seq,
        "ies": [ie_fields(ie) for ie in ies],
    }


OPERATIONS = {
    "encode": encode,
    "decode": decode,
    "encode_v2": encode_v2,
    "decode_v2": decode_v2,
}

for line in sys.stdin:
    try:
        request = json.loads(line)
        answer = OPERATIONS[request["op"]](request)
    except Exception as error:  # the caller prints what scapy says
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
