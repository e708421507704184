"""pysnmp as a manager and as a receiver of notifications, one JSON request a line in, one JSON answer a line out.

{"op": "get" | "walk" | "bulkwalk", "agent": [host, port], "who": WHO, "names": ["1.3.6...", ...]}
    -> {"values": [["1.3.6...", TYPE, VALUE], ...]} or {"error": "what pysnmp says"}
{"op": "listen", "host": host, "who": [WHO, ...]} -> {"port": port}
{"op": "take"} -> {"values": [...]} of the next notification, once it is there

WHO is {"community": "..."} or {"user": "...", "auth": "sha-256", "privacy": "aes-128", "password": "..."}. A walk asks for
one row at a time, a bulkwalk for 25, both within the one subtree that is named.
"""
import asyncio
import json
import sys

from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.entity import config
from pysnmp.entity.rfc3413 import ntfrcv
from pysnmp.hlapi.v3arch import asyncio as snmp

AUTH = {
    None: snmp.USM_AUTH_NONE,
    "sha-1": snmp.USM_AUTH_HMAC96_SHA,
    "sha-256": snmp.USM_AUTH_HMAC192_SHA256,
    "sha-384": snmp.USM_AUTH_HMAC256_SHA384,
    "sha-512": snmp.USM_AUTH_HMAC384_SHA512,
}
PRIVACY = {
    None: snmp.USM_PRIV_NONE,
    "aes-128": snmp.USM_PRIV_CFB128_AES,
    "aes-256": snmp.USM_PRIV_CFB256_AES,
}
TIMEOUT_S = 5
RETRIES = 5
REPETITIONS = 25

# One engine asks: what it learned of an agent's engine it keeps.
manager = snmp.SnmpEngine()
receiver = snmp.SnmpEngine()
taken = asyncio.Queue()


def secrets(who):
    auth, privacy = who.get("auth"), who.get("privacy")
    password = who.get("password")
    return {
        "authProtocol": AUTH[auth],
        "authKey": password if auth else None,
        "privProtocol": PRIVACY[privacy],
        "privKey": password if privacy else None,
    }


def credentials(who):
    if "community" in who:
        return snmp.CommunityData(who["community"], mpModel=1)
    return snmp.UsmUserData(who["user"], **secrets(who))


def plain(varbind):
    name, value = varbind[0], varbind[1]
    kind = type(value).__name__
    if kind in ("OctetString", "Opaque", "IpAddress"):
        value = bytes(value).hex()
    elif kind == "ObjectIdentifier":
        value = str(value)
    elif kind in ("Null", "NoSuchObject", "NoSuchInstance", "EndOfMibView"):
        value = None
    else:
        value = int(value)
    return [str(name), kind, value]


def judged(answer):
    indication, status, _, varbinds = answer
    if indication or status:
        raise RuntimeError(str(indication or status.prettyPrint()))
    return [plain(varbind) for varbind in varbinds]


async def arguments(request):
    target = await snmp.UdpTransportTarget.create(
        tuple(request["agent"]),
        timeout=request.get("timeout_s", TIMEOUT_S),
        retries=request.get("retries", RETRIES),
    )
    return manager, credentials(request["who"]), target, snmp.ContextData()


def objects(request):
    return [snmp.ObjectType(snmp.ObjectIdentity(name)) for name in request["names"]]


async def get(request):
    asked = await arguments(request)
    answer = await snmp.get_cmd(*asked, *objects(request), lookupMib=False)
    return {"values": judged(answer)}


async def walk(request):
    asked, names = await arguments(request), objects(request)
    if request["op"] == "walk":
        answers = snmp.walk_cmd(*asked, *names, lookupMib=False, lexicographicMode=False)
    else:
        answers = snmp.bulk_walk_cmd(
            *asked, 0, REPETITIONS, *names, lookupMib=False, lexicographicMode=False
        )
    return {"values": [value async for answer in answers for value in judged(answer)]}


async def listen(request):
    transport = udp.UdpAsyncioTransport().open_server_mode((request["host"], 0))
    config.add_transport(receiver, udp.DOMAIN_NAME, transport)
    await transport._lport
    for at, who in enumerate(request["who"]):
        if "community" in who:
            config.add_v1_system(receiver, f"community-{at}", who["community"])
        else:
            config.add_v3_user(receiver, who["user"], **secrets(who))

    def notified(engine, state, engine_id, context, varbinds, _):
        taken.put_nowait([plain(varbind) for varbind in varbinds])

    ntfrcv.NotificationReceiver(receiver, notified)
    return {"port": transport.transport.get_extra_info("sockname")[1]}


async def take(_):
    return {"values": await taken.get()}


OPERATIONS = {"get": get, "walk": walk, "bulkwalk": walk, "listen": listen, "take": take}


async def main():
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        try:
            request = json.loads(line)
            answer = await OPERATIONS[request["op"]](request)
        except Exception as error:  # the caller prints what pysnmp says
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


asyncio.run(main())
