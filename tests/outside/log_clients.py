"""The official clients of the protocol on the log's endpoint: a hundred thousand events through each, filters, checkpoints, cuts, refusals, TLS."""

import asyncio
import hashlib
import json
import os
import re
import signal
import socket
import string
import subprocess
import sys
import threading
import time
import uuid

from kurrentdbclient import AsyncKurrentDBClient, CaughtUp, Checkpoint, KurrentDBClient, NewEvent, StreamState
from kurrentdbclient.exceptions import AccessDeniedError, KurrentDBClientError, NotFoundError, UnauthenticatedError

from service import BINARY, Service

FAKES = os.path.join(os.path.dirname(BINARY), "fakes")
HERE = os.path.dirname(os.path.abspath(__file__))
# Some 360 events each, and 60 more when the service starts: the orders' time is over.
ACCOUNTS = 240
TOKEN = "a-reader-s-token-long-enough"
LETTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
NODE_CLIENTS = ("@kurrent/kurrentdb-client", "@eventstore/db-client")


def digest(events):
    """What the other scripts make of a sequence of events."""
    hashed = hashlib.sha256()
    for event in events:
        hashed.update(f"|{event['id']}|{event['event']}|{event['stream']}|{event['revision']}\n".encode())
    return {"count": len(events), "hash": hashed.hexdigest()}


def as_read(event):
    return {"id": str(event.id), "event": event.type, "stream": event.stream_name, "revision": event.stream_position, "position": event.commit_position}


def written(service, *words):
    """The log as `audit events` prints it, with ids as the protocol writes them."""
    out = subprocess.run([BINARY, "audit", "events", "--json", *words, *service.place], check=True, capture_output=True, text=True).stdout
    return [{**event, "id": uuid_of(event["id"])} for event in map(json.loads, out.splitlines())]


def uuid_of(text):
    """An id as the protocol writes it."""
    number = 0
    for letter in text.removeprefix("evt_"):
        number = number * 62 + LETTERS.index(letter)
    return str(uuid.UUID(int=number))


def settled(service):
    """Returns once nothing is appended any more."""
    client, before = KurrentDBClient(f"kurrentdb://{endpoint(service)}?tls=false"), None
    while (now := client.get_commit_position()) != before:
        before = now
        time.sleep(1)
    client.close()


def endpoint(service):
    with open(os.path.join(service.directory.name, "esdb.addr"), encoding="utf-8") as file:
        return file.read().strip()


class Cutter:
    """A proxy on loopback that cuts every connection when told."""

    def __init__(self, target):
        self.target, self.open = target, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            host, port = self.target.rsplit(":", 1)
            far = socket.create_connection((host, int(port)))
            self.open += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self.copy, args=(source, sink), daemon=True).start()

    def copy(self, source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass

    def cut(self):
        cut, self.open = self.open, []
        for half in cut:
            try:
                half.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            half.close()


def check_python(service, log, stream):
    url = f"kurrentdb://{endpoint(service)}?tls=false"
    client = KurrentDBClient(url)
    started = time.monotonic()
    read = [as_read(event) for event in client.read_all()]
    rate = len(read) / (time.monotonic() - started)
    assert [(e["id"], e["event"], e["stream"], e["revision"], e["position"]) for e in read] == [
        (e["id"], e["event"], e["stream"], e["revision"], e["position"]) for e in log
    ]
    assert client.get_commit_position() == len(log)
    backwards = [event.commit_position for event in client.read_all(backwards=True, limit=1500)]
    assert backwards == list(range(len(log), len(log) - 1500, -1))
    of_stream = [event for event in log if event["stream"] == stream]
    assert [event.stream_position for event in client.get_stream(stream)] == list(range(len(of_stream)))
    assert [event.stream_position for event in client.get_stream(stream, backwards=True, limit=10)] == list(range(len(of_stream) - 1, len(of_stream) - 11, -1))
    assert [event.stream_position for event in client.get_stream(stream, stream_position=30, limit=5)] == [30, 31, 32, 33, 34]
    # From a position: inclusive forwards, exclusive backwards and of subscriptions.
    assert next(iter(client.read_all(commit_position=777))).commit_position == 777
    assert next(iter(client.read_all(commit_position=777, backwards=True))).commit_position == 776
    with client.subscribe_to_all(commit_position=777) as subscription:
        assert next(iter(subscription)).commit_position == 778
    try:
        client.get_stream("account-nobody")
        raise AssertionError("a stream that is not there was read")
    except NotFoundError:
        pass
    check_masked(client, stream)
    check_filters(client, log, stream)
    check_refused(client)
    client.close()
    return rate


def check_masked(client, stream):
    for event in client.get_stream(stream):
        data, metadata = json.loads(event.data), json.loads(event.metadata)
        assert set(metadata) == {"id", "at", "actor", "causation", "correlation", "version"}, metadata
        if event.type == "OrderSmsReceived":
            assert data["text"] == data["sender"] == "hidden" and data["candidates"][0]["code"] == "hidden", data
        if event.type == "OrderCompleted":
            assert data["code"] == "hidden", data
        if event.type == "OrderNumberAssigned":
            assert re.search(r"[*x•…]", data["phone"]), data


def check_filters(client, log, stream):
    def wanted(event):
        return event["stream"] == stream

    names = [event["id"] for event in log if event["event"] in ("HoldCaptured", "HoldReleased")]
    found = [str(event.id) for event in client.read_all(filter_include=["Hold(Captured|Released)"], limit=3000)]
    assert found == names[:3000], "by a pattern on names"
    excluded = [event.type for event in client.read_all(filter_exclude=["Order.*", "Hold.*"], limit=500)]
    assert excluded and not [name for name in excluded if name.startswith(("Order", "Hold"))]
    # Each checkpoint is a place from which the rest comes, without gap or repeat.
    options = {"filter_include": [stream], "filter_by_stream_name": True, "filter_by_prefix": True, "include_checkpoints": True}
    checkpoints, seen, last = [], [], None
    with client.subscribe_to_all(**options, window_size=50, checkpoint_interval_multiplier=10, include_caught_up=True) as subscription:
        for event in subscription:
            if isinstance(event, Checkpoint):
                checkpoints.append(event.commit_position)
            elif isinstance(event, CaughtUp):
                break
            else:
                seen.append(event.commit_position)
    of_stream = [event["position"] for event in log if wanted(event)]
    assert seen == of_stream
    assert checkpoints == sorted(set(checkpoints)) and checkpoints[-1] == len(log) and len(checkpoints) > 100, checkpoints
    for checkpoint in checkpoints:
        rest, expected = [], [position for position in of_stream if position > checkpoint][:3]
        with client.subscribe_to_all(**options, commit_position=checkpoint, include_caught_up=True) as subscription:
            for event in subscription:
                if isinstance(event, CaughtUp) or len(rest) == len(expected) and expected:
                    break
                if not isinstance(event, Checkpoint):
                    rest.append(event.commit_position)
        assert rest[:3] == expected, (checkpoint, rest, expected)


def check_refused(client):
    def event():
        return NewEvent(type="judge", data=b"{}")

    for write in (
        lambda: client.append_to_stream("judge", events=event(), current_version=StreamState.ANY),
        lambda: client.append_to_stream("judge", events=[event(), event()], current_version=StreamState.NO_STREAM),
        lambda: client.delete_stream("judge", current_version=StreamState.ANY),
        lambda: client.tombstone_stream("judge", current_version=StreamState.ANY),
    ):
        try:
            write()
            raise AssertionError("something was written")
        except AccessDeniedError:
            pass


def check_edges(service, log, stream):
    """Members that are asked for, the other client, and what makes no sense."""
    address = endpoint(service)
    port = address.rsplit(":", 1)[1]
    for uri in (f"kurrentdb+discover://localhost:{port}?tls=false", f"kurrentdb://127.0.0.1:1,127.0.0.1:{port}?tls=false"):
        client = KurrentDBClient(uri)
        assert len(list(client.read_all(limit=5))) == 5, uri
    client = KurrentDBClient(f"kurrentdb://{address}?tls=false")
    for wrong, said in (
        (lambda: list(client.subscribe_to_all(commit_position=10**9)), "of another log"),
        (lambda: list(client.read_all(filter_include=["("])), "pattern"),
        (lambda: client.create_subscription_to_all("group"), "UNIMPLEMENTED"),
    ):
        try:
            wrong()
            raise AssertionError(f"{said}: it was taken")
        except KurrentDBClientError as error:
            assert said in str(error), error
    of_stream = [event["revision"] for event in log if event["stream"] == stream]
    with client.subscribe_to_stream(stream, stream_position=of_stream[-5], include_caught_up=True) as subscription:
        events = [next(iter(subscription)) for _ in range(5)]
    assert [event.stream_position for event in events[:4]] == of_stream[-4:] and isinstance(events[4], CaughtUp)

    async def read():
        other = AsyncKurrentDBClient(f"kurrentdb://{address}?tls=false")
        await other.connect()
        positions = [event.commit_position async for event in await other.read_all(limit=500)]
        async def write():
            try:
                await other.append_to_stream("judge", events=[NewEvent(type="judge", data=b"{}")], current_version=StreamState.ANY)
                raise AssertionError("something was written")
            except AccessDeniedError:
                pass

        # Many at a time: a refusal that came while a request was still sent was taken for a broken call.
        await asyncio.gather(*(write() for _ in range(200)))
        await other.close()
        return positions

    assert asyncio.run(read()) == list(range(1, 501))


def check_esdbcat(service, log):
    cat = os.path.join(os.path.dirname(sys.executable), "esdbcat")
    url = f"esdb://{endpoint(service)}?tls=false"
    started = time.monotonic()
    out = subprocess.run([cat, "--url", url, "-q", "$all"], check=True, capture_output=True, text=True).stdout.splitlines()
    rate = len(out) / (time.monotonic() - started)
    assert [json.loads(line)["metadata"]["id"] for line in out] == [event["id"] for event in log]
    return rate


def check_node(service, name, log, stream):
    node = subprocess.Popen(
        ["node", os.path.join(HERE, "log_clients.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    url = f"esdb://{endpoint(service)}?tls=false"
    node.stdin.write(json.dumps({"url": url, "client": name, "events": len(log), "stream": stream}))
    node.stdin.close()
    line = node.stdout.readline().strip()
    assert line == "tailing", line
    order(service)
    told = json.loads(node.stdout.readline())
    assert node.wait() == 0
    of_stream = [event for event in log if event["stream"] == stream]
    assert told["forwards"] == digest(log), name
    assert told["backwards"] == digest(log[::-1][:2000]), name
    assert told["stream"] == told["filtered"] == digest(of_stream), name
    assert told["streamBackwards"] == digest(of_stream[::-1]), name
    assert told["streamFrom"] == digest(of_stream[100:150]), name
    assert told["missing"] == "not found" and told["pattern"]["count"] == 500, told
    assert told["checkpoints"] > 2, told["checkpoints"]
    for checkpoint, revision in told["resumed"]:
        later = [event["revision"] for event in of_stream if event["position"] > checkpoint]
        assert revision == (later[0] if later else None), (name, checkpoint, revision)
    assert told["refused"] == ["access denied"] * 4, (name, told["refused"])
    positions = [position for position, _ in told["tail"]]
    assert told["tail"][-1][1] == "OrderNumberAssigned" and positions == list(range(positions[0], positions[0] + len(positions))), told["tail"]
    return told["eventsPerSecond"]


def order(service):
    key = service.register(dollars=5)["api_key"]
    status, reply = service.call("POST", "/api/v1/order", {"platform": "google"}, key)
    assert status == 200, reply


def check_cuts(service):
    """A subscriber that is cut again and again, and goes on behind what it has, misses nothing."""
    cutter = Cutter(endpoint(service))
    seen, cuts = [], 0
    stop = threading.Event()

    def make():
        while not stop.is_set():
            order(service)

    maker = threading.Thread(target=make)
    maker.start()
    start = KurrentDBClient(f"kurrentdb://{endpoint(service)}?tls=false").get_commit_position()
    last = start
    while len(seen) < 300:
        try:
            client = KurrentDBClient(f"kurrentdb://{cutter.address}?tls=false")
            with client.subscribe_to_all(commit_position=last) as subscription:
                for event in subscription:
                    seen.append(event.commit_position)
                    last = event.commit_position
                    if len(seen) % 20 == 0:
                        cutter.cut()
                        cuts += 1
        except KurrentDBClientError:
            pass
    stop.set()
    maker.join()
    assert seen == list(range(start + 1, start + 1 + len(seen))) and cuts >= 15, (cuts, seen[:5])


def check_stop(service):
    """A service that ends says so: a subscription never ends as if there were no more."""
    client = KurrentDBClient(f"kurrentdb://{endpoint(service)}?tls=false")
    ended = {}

    def follow():
        try:
            for _ in client.subscribe_to_all(from_end=True):
                pass
            ended["how"] = "ended"
        except KurrentDBClientError as error:
            ended["how"] = type(error).__name__

    follower = threading.Thread(target=follow)
    follower.start()
    time.sleep(0.5)
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait() == 0
    follower.join()
    assert ended["how"] != "ended", ended
    service.process.stdout.close()
    service.start()


def check_tls(directory):
    """A reader with a token over TLS sees what its rights are; others see nothing."""
    certificate, key = os.path.join(directory, "tls.pem"), os.path.join(directory, "tls.key")
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"]
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", certificate, *subject]
    subprocess.run(words, check=True, capture_output=True)
    config = f"""
[esdb]
listen = "127.0.0.1:0"
certificate_file = "{certificate}"
key_file = "{key}"
[[esdb.readers]]
name = "auditor"
token = "{TOKEN}"
rights = ["reveal", "bytes"]
[[esdb.readers]]
name = "finance"
token = "{TOKEN}-of-finance"
"""
    with Service(config) as service:
        order(service)
        host = endpoint(service).replace("127.0.0.1", "localhost")
        with open(certificate, encoding="utf-8") as file:
            root = file.read()
        auditor = KurrentDBClient(f"kurrentdb://auditor:{TOKEN}@{host}", root_certificates=root)
        events = list(auditor.read_all())
        metadata = [json.loads(event.metadata) for event in events]
        assert all(len(one["chain"]) == 64 and one["payload"] for one in metadata)
        phones = [json.loads(event.data)["phone"] for event in events if event.type == "OrderNumberAssigned"]
        assert phones and all(re.fullmatch(r"\+\d+", phone) for phone in phones), phones
        finance = KurrentDBClient(f"kurrentdb://finance:{TOKEN}-of-finance@{host}", root_certificates=root)
        assert all("chain" not in json.loads(event.metadata) for event in finance.read_all())
        for wrong in (f"kurrentdb://finance:{TOKEN}@{host}", f"kurrentdb://auditor:guessed-token-long-enough@{host}"):
            try:
                list(KurrentDBClient(wrong, root_certificates=root).read_all())
                raise AssertionError("somebody without a token read the log")
            except (UnauthenticatedError, KurrentDBClientError):
                pass
        node = """
const { KurrentDBClient } = require("module").createRequire(process.env.OUTSIDE_NODE + "/package.json")("@kurrent/kurrentdb-client");
(async () => {
  const client = KurrentDBClient.connectionString([process.argv[1]]);
  let count = 0;
  for await (const { event } of client.readAll()) if (event.metadata.chain && event.metadata.payload) count += 1;
  console.log(count);
  process.exit(0);
})();
"""
        url = f"kurrentdb://auditor:{TOKEN}@{host}?tls=true&tlsCAFile={certificate}"
        out = subprocess.run(["node", "-e", node, url], check=True, capture_output=True, text=True).stdout
        assert int(out) >= len(events), out


def main():
    config = '[esdb]\nlisten = "127.0.0.1:0"\n'

    def past(directory):
        subprocess.run([FAKES, "past", directory, str(ACCOUNTS)], check=True, capture_output=True)
        return int(subprocess.run([FAKES, "read", directory], check=True, capture_output=True, text=True).stdout)

    rates = {}
    with Service(config, before=lambda directory: rates.update({"read_all": past(directory)})) as service:
        settled(service)
        log = written(service)
        assert len(log) >= 100_000, len(log)
        stream = log[len(log) // 2]["stream"]
        rates["kurrentdbclient"] = check_python(service, log, stream)
        check_edges(service, log, stream)
        rates["esdbcat"] = check_esdbcat(service, log)
        for name in NODE_CLIENTS:
            settled(service)
            rates[name] = check_node(service, name, written(service), stream)
        check_cuts(service)
        check_stop(service)
        service.audit()
        check_tls(service.directory.name)
    told = ", ".join(f"{name} {round(rate)}" for name, rate in rates.items())
    print(f"{len(log)} events through each client; events a second: {told}")


main()
