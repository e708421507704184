"""GTPv2-C by pycrate's TS29274_GTPC, one JSON request a line in, one JSON answer a line out.

{"op": "read", "hex": "..."} -> {"messages": [{"type": 32, "teid": 0, "seq": 7, "length": 90, "priority": null,
"piggyback": false, "complete": true, "elements": [{"type": 1, "instance": 0, "value": {"digits": "..."}}, ...]}]}
{"op": "write", "messages": [...]} -> {"hex": "..."}

{"op": "mandatory", "type": 32} -> {"mandatory": [{"bearer": null, "type": 71, "instance": 0}, ...]}

What an element's value says is listed in `tests::elements`. "complete": pycrate misses no element that it holds mandatory.
"""
import json
import sys
from ipaddress import ip_address

from pycrate_mobile import TS29274_GTPC as gtpc

# Where a flag has another name than in the specification.
FLAGS = {
    "P": "PS",
    "RetLoc": "RETLOC",
    "PPON/PPEI": "PPON_PPEI",
    "PCSI": "PSCI",
    "5GSNN26": "FIVE_GS_NN26",
    "5GSIWK": "FIVE_GS_IWKI",
    "5GCNRS": "FIVE_GC_NRS",
    "5GCNRI": "FIVE_GC_NRI",
    "5SRHOI": "FIVE_S_RHOI",
    # The spare bit of the ninth octet got a name in a later release.
    (8, 0): "NSPUSI",
}
QOS_RATES = {
    "mbr_up": "MaxBitRateUL",
    "mbr_down": "MaxBitRateDL",
    "gbr_up": "GuaranteedBitRateUL",
    "gbr_down": "GuaranteedBitRateDL",
}
PARTS = {
    "cgi": ("CGI", "CGI", {"lac": "LAC", "code": "CI"}),
    "sai": ("SAI", "SAI", {"lac": "LAC", "code": "SAC"}),
    "rai": ("RAI", "RAI", {"lac": "LAC", "code": "RAC"}),
    "tai": ("TAI", "TAI", {"tac": "TAC"}),
    "ecgi": ("ECGI", "ECGI", {"eci": "ECI"}),
    "lai": ("LAI", "LAI", {"lac": "LAC"}),
    "macro_enb": ("MacroENBID", "MacroENBID", {"id": "MacroENBID"}),
}


def number(name, key):
    """An element of one number."""
    return (
        lambda data: {key: data[name].get_val()},
        lambda value: {name: value[key]},
    )


def numbers(**names):
    """An element of several numbers."""
    return (
        lambda data: {key: data[name].get_val() for key, name in names.items()},
        lambda value: {name: value[key] for key, name in names.items()},
    )


DIGITS = (lambda data: {"digits": data.decode()}, lambda value: value["digits"])
OCTETS = (lambda data: {"hex": data.to_bytes().hex()}, lambda value: bytes.fromhex(value["hex"]))


def plmn_text(plmn):
    digits = plmn.decode()
    return {"mcc": digits[:3], "mnc": digits[3:]}


def read_indication(data):
    octets = [octet for octet in data if octet._name.startswith("Octet") and not octet.get_trans()]
    names = []
    for place, octet in enumerate(octets):
        for bit, flag in enumerate(octet):
            if flag.get_val():
                names.append(FLAGS.get((place, bit)) or FLAGS.get(flag._name, flag._name))
    return {"flags": names, "octets": len(data.to_bytes())}


def write_indication(value):
    octets = bytearray(value["octets"])
    model = gtpc.Indication()
    for place, octet in enumerate(model):
        if not octet._name.startswith("Octet"):
            continue
        for bit, flag in enumerate(octet):
            name = FLAGS.get((place, bit)) or FLAGS.get(flag._name, flag._name)
            if name in value["flags"]:
                octets[place] |= 0x80 >> bit
    return bytes(octets)


def read_cause(data):
    offending = None
    if not data["OffendingIE"].get_trans():
        ie = data["OffendingIE"]
        offending = {"type": ie["Type"].get_val(), "instance": ie["Inst"].get_val()}
    bits = {key: data[key.upper()].get_val() for key in ("pce", "bce", "cs")}
    return {"cause": data["Val"].get_val(), "offending": offending, **bits}


def write_cause(value):
    cause = gtpc.Cause()
    bits = {key.upper(): value[key] for key in ("pce", "bce", "cs")}
    values = {"Val": value["cause"], **bits}
    if value["offending"]:
        ie = value["offending"]
        values["OffendingIE"] = {"Type": ie["type"], "Len": 0, "Inst": ie["instance"]}
        cause["OffendingIE"].set_trans(False)
    cause.set_val(values)
    return cause.to_bytes()


def read_paa(data):
    kind, address = data["PDNType"].get_val(), data["PDNAddress"].get_val()
    value = {"type": kind, "prefix": None, "v6": None, "v4": None}
    if kind in (2, 3):
        value["prefix"], value["v6"] = address[0], str(ip_address(address[1:17]))
        address = address[17:]
    if kind in (1, 3):
        value["v4"] = str(ip_address(address))
    return value


def write_paa(value):
    address = b""
    if value["v6"] is not None:
        address += bytes([value["prefix"]]) + ip_address(value["v6"]).packed
    if value["v4"] is not None:
        address += ip_address(value["v4"]).packed
    return {"PDNType": value["type"], "PDNAddress": address}


def read_qos(data):
    rates = {key: data[name].get_val() for key, name in QOS_RATES.items()}
    arp = {key: data[key.upper()].get_val() for key in ("pci", "pl", "pvi")}
    return {"qci": data["QCI"].get_val(), **arp, **rates}


def write_qos(value):
    rates = {name: value[key] for key, name in QOS_RATES.items()}
    arp = {key.upper(): value[key] for key in ("pci", "pl", "pvi")}
    return {"QCI": value["qci"], **arp, **rates}


def read_location(data):
    value = {key: None for key in [*PARTS, "extended_macro_enb"]}
    for key, (flag, part, names) in PARTS.items():
        if data["Flags"][flag].get_val():
            at = data[part]
            value[key] = {name: at[field].get_val() for name, field in names.items()}
            value[key].update(plmn_text(at["PLMN"]))
    if data["Flags"]["ExtMacroENBID"].get_val():
        at = data["ExtMacroENBID"]
        short = at["SMeNB"].get_val()
        identity = at["ENBID"].get_alt()["MacroENBID"].get_val()
        value["extended_macro_enb"] = {"short": short, "id": identity, **plmn_text(at["PLMN"])}
    return value


def write_location(value):
    location = gtpc.ULI()
    for key, (flag, part, names) in PARTS.items():
        if value[key] is not None:
            location["Flags"][flag].set_val(1)
            location[part]["PLMN"].encode(value[key]["mcc"] + value[key]["mnc"])
            for name, field in names.items():
                location[part][field].set_val(value[key][name])
    extended = value["extended_macro_enb"]
    if extended is not None:
        location["Flags"]["ExtMacroENBID"].set_val(1)
        at = location["ExtMacroENBID"]
        at["PLMN"].encode(extended["mcc"] + extended["mnc"])
        at["SMeNB"].set_val(extended["short"])
        at["ENBID"].get_alt()["MacroENBID"].set_val(extended["id"])
    return location.to_bytes()


def read_fteid(data):
    v4 = str(ip_address(data["IPv4Addr"].get_val())) if data["V4"].get_val() else None
    v6 = str(ip_address(data["IPv6Addr"].get_val())) if data["V6"].get_val() else None
    teid, interface = data["TEID_GREKey"].get_val(), data["IF"].get_val()
    return {"interface": interface, "teid": teid, "v4": v4, "v6": v6}


def write_fteid(value):
    fteid = {"IF": value["interface"], "TEID_GREKey": value["teid"]}
    fteid["V4"], fteid["V6"] = int(value["v4"] is not None), int(value["v6"] is not None)
    if value["v4"] is not None:
        fteid["IPv4Addr"] = ip_address(value["v4"]).packed
    if value["v6"] is not None:
        fteid["IPv6Addr"] = ip_address(value["v6"]).packed
    return fteid


def write_plmn(value):
    network = gtpc.ServingNetwork()
    network["PLMN"].encode(value["mcc"] + value["mnc"])
    return network.to_bytes()


# By the type of an element: how its value is read, and how it is made.
VALUES = {
    1: DIGITS,
    2: (read_cause, write_cause),
    3: (lambda data: {"counter": data.get_val()}, lambda value: value["counter"]),
    71: (
        lambda data: {"name": ".".join(label[1].get_val().decode() for label in data)},
        lambda value: value["name"],
    ),
    72: numbers(up="APN-AMBR-UL", down="APN-AMBR-DL"),
    73: number("Val", "ebi"),
    74: (
        lambda data: {"address": str(ip_address(data.to_bytes()))},
        lambda value: ip_address(value["address"]).packed,
    ),
    75: DIGITS,
    76: DIGITS,
    77: (read_indication, write_indication),
    79: (read_paa, write_paa),
    80: (read_qos, write_qos),
    81: numbers(qci="QCI", **QOS_RATES),
    82: number("Val", "rat"),
    83: (lambda data: plmn_text(data["PLMN"]), write_plmn),
    86: (read_location, write_location),
    87: (read_fteid, write_fteid),
    92: number("Val", "steps"),
    94: number("Val", "id"),
    95: number("Val", "bits"),
    99: number("Val", "type"),
    100: number("Val", "id"),
    114: (
        lambda data: {"zone": data.to_bytes()[0], "dst": data.to_bytes()[1]},
        lambda value: bytes([value["zone"], value["dst"]]),
    ),
    126: number("Val", "port"),
    127: number("Val", "restriction"),
    128: number("Val", "mode"),
    135: number("Val", "node"),
    155: numbers(pci="PCI", pl="PL", pvi="PVI"),
    156: numbers(unit="TimerUnit", count="TimerVal"),
    157: number("LAPI", "low"),
}


def read_elements(ies):
    elements = []
    for ie in ies:
        kind, data = ie[0]["Type"].get_val(), ie[1]
        if isinstance(data, gtpc.GTPCIEs):
            value = {"elements": read_elements(data)}
        else:
            value = VALUES.get(kind, OCTETS)[0](data)
        elements.append({"type": kind, "instance": ie[0]["Inst"].get_val(), "value": value})
    return elements


def read(request):
    octets, messages = bytes.fromhex(request["hex"]), []
    while octets:
        # pycrate reads one message; where the next begins it says by the length that it has read.
        message, error = gtpc.parse_GTPC(octets)
        if message is None:
            return {"error": f"parse_GTPC: {error}"}
        header = message[0]
        length = header["Len"].get_val()
        messages.append(
            {
                "type": header["Type"].get_val(),
                "teid": header["TEID"].get_val() if header["T"].get_val() else None,
                "seq": header["SeqNum"].get_val(),
                "length": length,
                "priority": header["MsgPrio"].get_val() if header["MP"].get_val() else None,
                "piggyback": bool(header["P"].get_val()),
                "complete": error == 0,
                "elements": read_elements(message[1]),
            }
        )
        octets = octets[4 + length :]
    return {"messages": messages}


def write_elements(ies, elements):
    ies.clear()
    for element in elements:
        kind, instance, value = element["type"], element["instance"], element["value"]
        if "elements" in value:
            ies.add_ie(kind, instance)
            write_elements(ies._content[-1][1], value["elements"])
        else:
            ies.add_ie(kind, instance, VALUES.get(kind, OCTETS)[1](value))


def write(request):
    octets = b""
    for wanted in request["messages"]:
        message = gtpc.GTPCDispatcher[wanted["type"]]()
        header = message[0]
        header["P"].set_val(int(wanted["piggyback"]))
        header["T"].set_val(int(wanted["teid"] is not None))
        header["TEID"].set_val(wanted["teid"] or 0)
        header["SeqNum"].set_val(wanted["seq"])
        if wanted["priority"] is not None:
            header["MP"].set_val(1)
            header["MsgPrio"].set_val(wanted["priority"])
        write_elements(message[1], wanted["elements"])
        octets += message.to_bytes()
    return {"hex": octets.hex()}


def mandatory(request):
    """The elements that pycrate holds mandatory in a message: each with the instance of its bearer context, null if it is
    in the message itself."""
    ies, found = gtpc.GTPCDispatcher[request["type"]]()[1], []
    groups = [(None, ies.MAND)]
    for known in (ies.MAND, ies.OPT):
        bearers = [key for key in known if isinstance(key, tuple) and key[0] == 93]
        groups += [(instance, known[93, instance][0].MAND) for _, instance in bearers]
    for bearer, elements in groups:
        found += [{"bearer": bearer, "type": kind, "instance": at} for kind, at in elements]
    return {"mandatory": found}


OPERATIONS = {"read": read, "write": write, "mandatory": mandatory}

for line in sys.stdin:
    try:
        request = json.loads(line)
        answer = OPERATIONS[request["op"]](request)
    except Exception as error:  # the caller prints what pycrate says
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
