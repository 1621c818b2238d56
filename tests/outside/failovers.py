"""Callers of two nodes across twenty failovers, a rolling restart and wrong clocks: each order once and paid for once, streams and webhooks without gap or repeat, no error that is not to be tried again."""

import http.client
import http.server
import json
import os
import signal
import tempfile
import threading
import time
import uuid

from cluster import PATIENCE, Database, Node, leader_of, terms, until

FAILOVERS = 20
CALLERS = 12
SLOW = {"delivery_seconds = [0.05, 0.1]": "delivery_seconds = [0.2, 3.0]"}
WEBHOOKS = "[webhooks]\nallow_private_targets = true\n"
ENDS = ("completed", "expired", "failed", "cancelled")
# Numbers that get no code while a test lasts.
NEVER = {"delivery_seconds = [0.05, 0.1]": "delivery_seconds = [900, 900]"}
# faketime's library: the clock that people read is changed, the one that durations are measured by is not.
FAKE = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


class Receiver(http.server.ThreadingHTTPServer):
    """Takes webhooks; each message by its id, and the orders that they are of."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.messages, self.differs = {}, []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        name = self.headers["webhook-id"]
        if self.server.messages.setdefault(name, body) != body:
            self.server.differs.append(name)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Callers:
    """Each opens an account and orders, with a key for each order that is repeated until it is answered; and follows the order's stream to its end, however often that is cut."""

    def __init__(self, nodes, receiver, pause=0.0):
        self.nodes, self.receiver, self.pause = nodes, receiver, pause
        self.accounts, self.wrong, self.answered, self.refused, self.streams = {}, [], [], 0, 0
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self.guarded) for _ in range(CALLERS)]
        for thread in self.threads:
            thread.start()

    def guarded(self):
        try:
            while not self.stopped.is_set():
                self.live()
        except Exception as error:  # A thread that ends unseen would prove nothing.
            self.wrong.append(repr(error))
            raise

    def ask(self, method, path, body=None, key=None, headers=None):
        """Asks until there is an answer: whoever leads, again and again."""
        while True:
            leader = next((node for node in self.nodes if node.leads), None)
            try:
                if leader is None:
                    time.sleep(0.02)
                    continue
                status, told = leader.call(method, path, body, key, 20, headers)
            except (OSError, ValueError, http.client.HTTPException):
                self.refused += 1
                time.sleep(0.02)
                continue
            if status == 200:
                self.answered.append(time.monotonic())
                return told
            if told["error_code"] == "INSUFFICIENT_BALANCE":
                return None
            if not told["retryable"] or status == 500:
                self.wrong.append((path, status, told))
                return None
            self.refused += 1
            time.sleep(0.02)

    def live(self):
        account = self.ask("POST", "/api/v1/register", {})
        key = account["api_key"]
        self.ask("PUT", "/api/v1/webhook", {"url": self.receiver.url}, key)
        self.ask("POST", "/api/v1/deposit/verify", {"tx_hash": os.urandom(32).hex()}, key)
        while self.ask("GET", "/api/v1/account", None, key)["balance"] in ("0", "0.00", 0):
            time.sleep(0.1)
        orders = self.accounts.setdefault(key, [])
        while not self.stopped.is_set():
            once = {"Idempotency-Key": str(uuid.uuid4())}
            told = self.ask("POST", "/api/v1/order", {"platform": "google"}, key, once)
            if told is None:
                return
            orders.append(told["order_id"])
            self.follow(told["order_id"], key)
            time.sleep(self.pause)

    def follow(self, order, key):
        """Every event of the stream once, in its order, whichever node sends it."""
        ids, last, events = [], None, []
        while not events or events[-1] not in ENDS:
            leader = next((node for node in self.nodes if node.leads), None)
            if leader is None:
                time.sleep(0.02)
                continue
            begun = len(ids)
            host, port = leader.url.removeprefix("http://").split(":")
            headers = {"Authorization": f"Bearer {key}"} | ({"Last-Event-ID": last} if last else {})
            try:
                connection = http.client.HTTPConnection(host, int(port), timeout=20)
                connection.request("GET", f"/api/v1/order/{order}/stream", headers=headers)
                reply = connection.getresponse()
                if reply.status == 204:
                    break
                if reply.status != 200:
                    reply.read()
                    time.sleep(0.02)
                    continue
                for line in reply:
                    text = line.decode().strip()
                    if text.startswith("id:"):
                        last = text[3:].strip()
                    if text.startswith("data:"):
                        ids.append(last)
                        events.append(json.loads(text[5:])["event"])
            except (OSError, ValueError, http.client.HTTPException):
                time.sleep(0.02)
            if len(ids) > begun and events[-1] not in ENDS:
                self.streams += 1
        if events[0] != "status" or len(set(ids)) != len(ids):
            self.wrong.append((order, list(zip(ids, events))))

    def end(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()
        assert not self.wrong, self.wrong[:3]

    def gap(self, since):
        """The longest time without an answer since then."""
        times = [since] + sorted(time for time in self.answered if time > since)
        return max(after - before for before, after in zip(times, times[1:]))


def orders_of(leader, key):
    found, cursor = [], ""
    while cursor is not None:
        status, told = leader.call("GET", f"/api/v1/orders?limit=100{cursor}", key=key)
        assert status == 200, told
        found += told["orders"]
        cursor = f"&cursor={told['next_cursor']}" if told.get("next_cursor") else None
    return found


def settled(leader, callers, receiver):
    """Each order is there once, ended once, pushed, and what it cost was taken once."""
    pushed = lambda: {json.loads(body)["data"]["order_id"] for body in list(receiver.messages.values()) if b"sms.received" in body}
    completed = 0
    for key, orders in callers.accounts.items():
        assert len(set(orders)) == len(orders), "two keys, one order"
        until("every order has ended", 60, lambda: all(order["status"] in ENDS for order in orders_of(leader, key)))
        found = orders_of(leader, key)
        assert sorted(order["order_id"] for order in found) == sorted(orders), (len(found), len(orders))
        done = {order["order_id"] for order in found if order["status"] == "completed"}
        completed += len(done)
        until("every code was pushed", 60, lambda: done <= pushed())
    assert not receiver.differs, receiver.differs
    return completed


def across_failovers(place, database):
    receiver = Receiver()
    nodes = [Node(place, name, database.address(), WEBHOOKS, SLOW) for name in ("north", "south")]
    try:
        leader = leader_of(nodes, 60)
        callers = Callers(nodes, receiver)
        until("orders are placed", 90, lambda: sum(map(len, callers.accounts.values())) > CALLERS)
        killed, ended = [], []
        for failover in range(FAILOVERS):
            other = next(node for node in nodes if node is not leader)
            until("the other node stands by", 60, lambda: other.standing)
            is_killed, before = failover % 2 == 0, time.monotonic()
            leader.end(signal.SIGKILL if is_killed else signal.SIGTERM)
            former, leader = leader, leader_of([other], PATIENCE + 60)
            (killed if is_killed else ended).append(time.monotonic() - before)
            former.start()
            placed = sum(map(len, callers.accounts.values()))
            until("orders are placed again", 90, lambda: sum(map(len, callers.accounts.values())) > placed)
        other = next(node for node in nodes if node is not leader)

        # A rolling restart: first the node that stands by, then the one that leads.
        until("the other node stands by", 60, lambda: other.standing)
        other.end()
        other.start()
        until("the other node stands by", 60, lambda: other.standing)
        before, refused = time.monotonic(), callers.refused
        leader.end()
        former, leader = leader, leader_of([other], PATIENCE + 60)
        former.start()
        time.sleep(2)
        gap, refused = callers.gap(before), callers.refused - refused
        callers.end()
        completed = settled(leader, callers, receiver)
        assert terms(database) == FAILOVERS + 2, terms(database)
        until("the other node stands by", 60, lambda: former.standing)
        former.end()
        leader.end()
        for node in nodes:
            node.cli("audit", "verify")
        orders = sum(map(len, callers.accounts.values()))
        print(f"{FAILOVERS} failovers: {orders} orders, {completed} completed, each once and paid for once; {callers.streams} streams cut, {len(receiver.messages)} webhooks")
        print(f"from the kill to the next leader {min(killed):.1f} to {max(killed):.1f} s (patience {PATIENCE} s), from an end in order {min(ended):.1f} to {max(ended):.1f} s")
        print(f"rolling restart: at most {gap:.1f} s without an answer, {refused} calls were tried again")
    finally:
        for node in nodes:
            if node.process.poll() is None:
                node.process.kill()
                node.process.wait()
        receiver.shutdown()


def with_wrong_clocks(place, database):
    """A node whose clock is behind does not take over; one whose clock is ahead does, and what ends earlier by it ends once."""
    database.say("CREATE DATABASE clocks")
    address = database.address(name="clocks")

    def clock(offset):
        return {"LD_PRELOAD": FAKE, "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    nodes = [Node(place, "right", address, otherwise=NEVER)]
    try:
        leader = leader_of(nodes, 60)
        key = leader.call("POST", "/api/v1/register", {})[1]["api_key"]
        leader.call("POST", "/api/v1/deposit/verify", {"tx_hash": os.urandom(32).hex()}, key)
        until("there is money", 60, lambda: leader.call("POST", "/api/v1/order", {"platform": "google"}, key)[0] == 200)
        before = leader.call("GET", "/api/v1/account", key=key)[1]
        behind = Node(place, "behind", address, otherwise=NEVER, environment=clock("-15m"))
        nodes.append(behind)
        until("a node stands by", 60, lambda: behind.standing)
        leader.end(signal.SIGKILL)
        until("it says why it does not take over", PATIENCE + 60, lambda: "clock" in behind.said() and "does not take over" in behind.said())
        assert not behind.leads
        ahead = Node(place, "ahead", address, otherwise=NEVER, environment=clock("+15m"))
        nodes.append(ahead)
        leader_of([ahead], PATIENCE + 60)
        until("the order has expired", 60, lambda: orders_of(ahead, key)[0]["status"] == "expired")
        time.sleep(1)
        account = ahead.call("GET", "/api/v1/account", key=key)[1]
        [order] = orders_of(ahead, key)
        assert float(account["balance"]) == 10 and account["balance"] != before["balance"], (before, account)
        assert not behind.leads and behind.process.poll() is None
        ahead.end()
        ended = ahead.cli("audit", "events", "--json", "--type", "OrderExpired").stdout.splitlines()
        assert len(ended) == 1 and order["order_id"] in ended[0], ended
        ahead.cli("audit", "verify")
        print("clocks: 15 minutes behind does not take over, 15 minutes ahead expires an order once, the money is back")
    finally:
        for node in nodes:
            if node.process.poll() is None:
                node.process.kill()
                node.process.wait()


with tempfile.TemporaryDirectory() as place:
    os.chmod(place, 0o755)
    database = Database(os.path.join(place, "database"))
    try:
        across_failovers(place, database)
        with_wrong_clocks(place, database)
    finally:
        database.stop()
