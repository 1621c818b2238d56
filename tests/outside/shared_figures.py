"""What a shared log costs: orders placed, and orders to their code, with the embedded store, PostgreSQL, and PostgreSQL with a synchronous standby, all in one run, in turns. No judge: run it by hand.

TELENUMERUS_BIN=target/release/telenumerus python3 tests/outside/shared_figures.py [ROUNDS] [CALLERS]
"""

import http.client
import json
import os
import sys
import tempfile
import threading
import time

from cluster import Database, Node, leader_of, until

ROUNDS, CALLERS = (int(word) for word in (sys.argv[1:] + ["6", "16"][len(sys.argv) - 1 :]))
# Of one turn.
SECONDS = 4
EMBEDDED = "embedded"


class Caller:
    """One connection, and accounts with money enough."""

    def __init__(self, node):
        host, port = node.url.removeprefix("http://").split(":")
        self.connection = http.client.HTTPConnection(host, int(port))
        self.keys, self.placed = [], 0

    def ask(self, method, path, body=None, key=None):
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        reply = self.connection.getresponse()
        told = json.loads(reply.read())
        assert reply.status == 200, told
        return told

    def open(self, accounts):
        for _ in range(accounts):
            key = self.ask("POST", "/api/v1/register", {})["api_key"]
            self.ask("POST", "/api/v1/deposit/verify", {"tx_hash": os.urandom(32).hex()}, key)
            self.keys.append(key)

    def place(self):
        """Places an order, with the next account: none of them runs out."""
        key = self.keys[self.placed % len(self.keys)]
        self.placed += 1
        return key, self.ask("POST", "/api/v1/order", {"platform": "google"}, key)["order_id"]

    def live(self):
        key, order = self.place()
        while self.ask("GET", f"/api/v1/order/{order}?wait=30", None, key)["status"] not in ("completed", "expired", "failed"):
            pass


def turn(callers, what):
    """Seconds that each call took, of all callers, in one turn."""
    end, taken = time.monotonic() + SECONDS, [[] for _ in callers]

    def run(caller, taken):
        while (before := time.monotonic()) < end:
            what(caller)
            taken.append(time.monotonic() - before)

    threads = [threading.Thread(target=run, args=pair) for pair in zip(callers, taken)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [seconds for one in taken for seconds in one]


def main(place):
    single = Database(os.path.join(place, "single"))
    primary = Database(os.path.join(place, "primary"))
    second = Database(os.path.join(place, "second"), primary)
    primary.say("ALTER SYSTEM SET synchronous_standby_names = '*'")
    primary.say("SELECT pg_reload_conf()")
    until("the standby is synchronous", 30, lambda: primary.say("SELECT sync_state FROM pg_stat_replication") == "sync")
    stores = {EMBEDDED: None, "PostgreSQL": single.address(), "with a synchronous standby": primary.address()}
    callers, nodes, taken = {}, [], {}
    try:
        for name, address in stores.items():
            own = {'[store]\nshared = "none"\n': ""} if address is None else {}
            # Connections wait for their turn.
            patient = "[http]\nheader_timeout_seconds = 3600\n"
            nodes.append(Node(place, name.replace(" ", "-"), address or "none", patient, own))
            leader_of(nodes[-1:], 60)
            callers[name] = [Caller(nodes[-1]) for _ in range(CALLERS)]
            for caller in callers[name]:
                caller.open(40)
        time.sleep(3)
        for _ in range(ROUNDS):
            for what in (Caller.live, Caller.place):
                for name in stores:
                    if any(caller.placed > 300 for caller in callers[name]):
                        for caller in callers[name]:
                            caller.keys, caller.placed = [], 0
                            caller.open(40)
                        time.sleep(2.5)
                    taken.setdefault((what.__name__, name), []).extend(turn(callers[name], what))
        for (what, name), seconds in sorted(taken.items()):
            seconds.sort()
            embedded = len(taken[what, EMBEDDED])
            share = f"{len(seconds) / embedded:.2f} of embedded"
            median, late = seconds[len(seconds) // 2] * 1000, seconds[len(seconds) * 99 // 100] * 1000
            print(f"{what:6} {name:28} {len(seconds) / ROUNDS / SECONDS:7.0f} a second, {share}; p50 {median:.1f} ms, p99 {late:.1f} ms")
    finally:
        for node in nodes:
            node.process.kill()
            node.process.wait()
        for database in (second, primary, single):
            database.stop()


with tempfile.TemporaryDirectory() as place:
    os.chmod(place, 0o755)
    main(place)
