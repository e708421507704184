"""GTPv1-C by scapy's contrib.gtp and GTPv2-C by its contrib.gtp_v2, one JSON request a line in, one JSON answer a line out.

{"op": "encode", "type": 16, "teid": 0, "seq": 7, "ies": [["IE_IMSI", {"imsi": "001010000000001"}], ...]} -> {"hex": "..."}
{"op": "decode", "hex": "..."} -> {"version": 1, "type": 17, "teid": 5, "seq": 7, "length": 40, "ies": [{"ie": "IE_Cause", ...}]}

"encode_v2" and "decode_v2" are the same for GTPv2-C. There a "teid" of null makes the header without one, a field may
itself be ["CLASS", {...}] or a list of those, and comes back as the fields of that class.

"read" and "write" are for GTPv2-C in the words of `tests::elements`, as those of pycrate_gtp.py.
"""
import json
import sys
from ipaddress import ip_address

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


# Where a flag has another name than in the specification.
FLAGS = {
    "RetLoc": "RETLOC",
    "PPOFF": "PPOF",
    "PPON": "PPON_PPEI",
    "_5GSNN26": "FIVE_GS_NN26",
    "_5GSIWKI": "FIVE_GS_IWKI",
    "_5GCNRS": "FIVE_GC_NRS",
    "_5GCNRI": "FIVE_GC_NRI",
    "_5SRHOI": "FIVE_S_RHOI",
}
PARTS = {
    "cgi": ("CGI", gtp_v2.ULI_CGI, {"lac": "LAC", "code": "CI"}),
    "sai": ("SAI", gtp_v2.ULI_SAI, {"lac": "LAC", "code": "SAC"}),
    "rai": ("RAI", gtp_v2.ULI_RAI, {"lac": "LAC", "code": "RAC"}),
    "tai": ("TAI", gtp_v2.ULI_TAI, {"tac": "TAC"}),
    "ecgi": ("ECGI", gtp_v2.ULI_ECGI, {"eci": "ECI"}),
    "lai": ("LAI", gtp_v2.ULI_LAI, {"lac": "LAC"}),
}


def numbers(name, **names):
    """An element of numbers, by its class."""
    return (
        lambda ie: {key: getattr(ie, field) for key, field in names.items()},
        lambda value: getattr(gtp_v2, name)(**{field: value[key] for key, field in names.items()}),
    )


def digits(name, field):
    return (
        lambda ie: {"digits": getattr(ie, field).decode()},
        lambda value: getattr(gtp_v2, name)(**{field: value["digits"]}),
    )


def read_plmn(part):
    """The third digit of the network code is the upper half of the country code's second octet, whatever its name."""
    mcc, mnc = part.MCC.decode(), part.MNC.decode()
    return {"mcc": mcc[:3], "mnc": mnc + mcc[3:]}


def plmn_fields(value):
    return {"MCC": value["mcc"] + value["mnc"][2:], "MNC": value["mnc"][:2]}


def flag_names():
    fields = [field.fld.name for field in gtp_v2.IE_Indication.fields_desc[4:]]
    return [(FLAGS.get(name, name), name) for name in fields if not name.startswith("SPARE")]


def read_indication(ie):
    flags = [name for name, field in flag_names() if getattr(ie, field, 0)]
    # scapy has eight octets of flags.
    return {"flags": flags, "octets": min(ie.length, 8)}


def write_indication(value):
    flags = {field: 1 for name, field in flag_names() if name in value["flags"]}
    return gtp_v2.IE_Indication(length=value["octets"], **flags)


def read_cause(ie):
    # scapy ends before the offending element, so it says nothing of it.
    return {"cause": ie.Cause, "pce": ie.PCE, "bce": ie.BCE, "cs": ie.CS, "offending": None}


def read_location(ie):
    # scapy ends before the two identifiers of an eNodeB, so it says nothing of them.
    value = {key: None for key in [*PARTS, "macro_enb", "extended_macro_enb"]}
    for key, (name, _, names) in PARTS.items():
        if getattr(ie, name + "_Present"):
            part = getattr(ie, name)
            value[key] = {name: getattr(part, field) for name, field in names.items()}
            value[key].update(read_plmn(part))
            if key == "rai":
                # 16 bits in scapy; the lower eight are unused ones (TS 29.274 8.21.3).
                value[key]["code"] >>= 8
    return value


def write_location(value):
    fields = {}
    for key, (name, part, names) in PARTS.items():
        if value[key] is not None:
            codes = {field: value[key][word] for word, field in names.items()}
            if key == "rai":
                codes["RAC"] = codes["RAC"] << 8 | 0xFF
            fields[name + "_Present"] = 1
            fields[name] = part(**plmn_fields(value[key]), **codes)
    return gtp_v2.IE_ULI(**fields)


def v6_number(text):
    return int(ip_address(text))


def read_fteid(ie):
    v4 = ie.ipv4 if ie.ipv4_present else None
    v6 = str(ip_address(ie.ipv6)) if ie.ipv6_present else None
    return {"interface": ie.InterfaceType, "teid": ie.GRE_Key, "v4": v4, "v6": v6}


def write_fteid(value):
    fields = {"InterfaceType": value["interface"], "GRE_Key": value["teid"]}
    if value["v4"] is not None:
        fields.update(ipv4_present=1, ipv4=value["v4"])
    if value["v6"] is not None:
        fields.update(ipv6_present=1, ipv6=v6_number(value["v6"]))
    return gtp_v2.IE_FTEID(**fields)


def read_paa(ie):
    has_v6, has_v4 = ie.PDN_type in (2, 3), ie.PDN_type in (1, 3)
    return {
        "type": ie.PDN_type,
        "prefix": ie.ipv6_prefix_length if has_v6 else None,
        "v6": str(ip_address(ie.ipv6)) if has_v6 else None,
        "v4": ie.ipv4 if has_v4 else None,
    }


def write_paa(value):
    fields = {"PDN_type": value["type"]}
    if value["v6"] is not None:
        fields.update(ipv6_prefix_length=value["prefix"], ipv6=v6_number(value["v6"]))
    if value["v4"] is not None:
        fields.update(ipv4=value["v4"])
    return gtp_v2.IE_PAA(**fields)


def write_address(value):
    address = ip_address(value["address"])
    if address.version == 4:
        return gtp_v2.IE_IP_Address(length=4, address=str(address))
    return gtp_v2.IE_IP_Address(length=16, address6=str(address))


# By the type of an element: how its value is read, and how it is made.
VALUES = {
    1: digits("IE_IMSI", "IMSI"),
    2: (read_cause, numbers("IE_Cause", cause="Cause", pce="PCE", bce="BCE", cs="CS")[1]),
    3: numbers("IE_RecoveryRestart", counter="restart_counter"),
    71: (lambda ie: {"name": ie.APN.decode()}, lambda value: gtp_v2.IE_APN(APN=value["name"])),
    72: numbers("IE_AMBR", up="AMBR_Uplink", down="AMBR_Downlink"),
    73: numbers("IE_EPSBearerID", ebi="EBI"),
    74: (
        lambda ie: {"address": str(ip_address(ie.address if ie.length == 4 else ie.address6))},
        write_address,
    ),
    75: digits("IE_MEI", "MEI"),
    76: digits("IE_MSISDN", "digits"),
    77: (read_indication, write_indication),
    79: (read_paa, write_paa),
    80: numbers(
        "IE_Bearer_QoS",
        qci="QCI",
        pci="PCI",
        pl="PriorityLevel",
        pvi="PVI",
        mbr_up="MaxBitRateForUplink",
        mbr_down="MaxBitRateForDownlink",
        gbr_up="GuaranteedBitRateForUplink",
        gbr_down="GuaranteedBitRateForDownlink",
    ),
    82: numbers("IE_RAT", rat="RAT_type"),
    83: (read_plmn, lambda value: gtp_v2.IE_ServingNetwork(**plmn_fields(value))),
    86: (read_location, write_location),
    87: (read_fteid, write_fteid),
    94: numbers("IE_ChargingID", id="ChargingID"),
    95: numbers("IE_ChargingCharacteristics", bits="ChargingCharacteristic"),
    99: numbers("IE_PDN_type", type="PDN_type"),
    114: numbers("IE_UE_Timezone", zone="Timezone", dst="DST"),
    126: numbers("IE_Port_Number", port="PortNumber"),
    127: numbers("IE_APN_Restriction", restriction="APN_Restriction"),
    128: numbers("IE_SelectionMode", mode="SelectionMode"),
}


def read_elements(octets):
    """One by one: of a list scapy takes what it does not read of an element for the next one."""
    elements = []
    while octets:
        end = 4 + int.from_bytes(octets[1:3], "big")
        one, octets = octets[:end], octets[end:]
        kind = one[0]
        if kind == 93:
            ie = gtp_v2.IE_BearerContext(one)
            value = {"elements": read_elements(one[4:])}
        elif kind in VALUES:
            ie = gtp_v2.ietypecls[kind](one)
            value = VALUES[kind][0](ie)
        else:
            ie = gtp_v2.IE_NotImplementedTLV(one)
            value = {"hex": ie.data.hex()}
        elements.append({"type": ie.ietype, "instance": ie.instance, "value": value})
    return elements


def read(request):
    octets, messages = bytes.fromhex(request["hex"]), []
    while octets:
        # scapy reads one message; where the next begins it says by the length that it has read.
        header = gtp_v2.GTPHeader(octets)
        end = 4 + header.length
        messages.append(
            {
                "type": header.gtp_type,
                "teid": header.teid if header.T else None,
                "seq": header.seq,
                "length": header.length,
                "priority": header.msg_priority if header.MP else None,
                "piggyback": bool(header.P),
                "elements": read_elements(octets[12 if header.T else 8 : end]),
            }
        )
        octets = octets[end:]
    return {"messages": messages}


def write_elements(elements):
    ies = []
    for element in elements:
        kind, value = element["type"], element["value"]
        if "elements" in value:
            ie = gtp_v2.IE_BearerContext(IE_list=write_elements(value["elements"]))
        elif kind in VALUES:
            ie = VALUES[kind][1](value)
        else:
            ie = gtp_v2.IE_NotImplementedTLV(ietype=kind, data=bytes.fromhex(value["hex"]))
        ie.instance = element["instance"]
        ies.append(ie)
    return ies


def write(request):
    octets = b""
    for wanted in request["messages"]:
        header = gtp_v2.GTPHeader(
            P=int(wanted["piggyback"]),
            T=int(wanted["teid"] is not None),
            MP=int(wanted["priority"] is not None),
            gtp_type=wanted["type"],
            seq=wanted["seq"],
        )
        if wanted["teid"] is not None:
            header.teid = wanted["teid"]
        if wanted["priority"] is not None:
            header.msg_priority = wanted["priority"]
        body = gtp_v2.GTPV2Command(IE_list=write_elements(wanted["elements"]))
        octets += bytes(header / body)
    return {"hex": octets.hex()}


OPERATIONS = {
    "encode": encode,
    "decode": decode,
    "encode_v2": encode_v2,
    "decode_v2": decode_v2,
    "read": read,
    "write": write,
}

for line in sys.stdin:
    try:
        request = json.loads(line)
        answer = OPERATIONS[request["op"]](request)
    except Exception as error:  # the caller prints what scapy says
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
