"""Nodes over one log on Debian's PostgreSQL: killed, stopped and continued, cut from the database, their answers lost; one writes, nothing acknowledged is gone, all copies are equal."""

import glob
import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

BINARY = os.environ["TELENUMERUS_BIN"]
PROGRAMS = max(glob.glob("/usr/lib/postgresql/*/bin"))
PATIENCE = 3
NOBODY = 65534
CONFIG = f"""
[limits]
per_ip_per_minute = 0
per_key_per_minute = 0
[orders]
max_concurrent_per_account = 200
[suppliers.simulator]
delivery_seconds = [0.05, 0.1]
failure_rate = 0.0
dead_number_rate = 0.0
no_stock_rate = 0.0
[admin]
listen = "127.0.0.1:0"
[node]
patience_seconds = {PATIENCE}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(what, seconds, holds):
    """Waits for something that is to become true; how long it took."""
    start = time.monotonic()
    while not holds():
        if time.monotonic() - start > seconds:
            sys.exit(f"not within {seconds} s: {what}")
        time.sleep(0.02)
    return time.monotonic() - start


class Database:
    """A server of its own, run by nobody."""

    def __init__(self, directory, primary=None):
        self.directory, self.port = directory, free_port()
        os.mkdir(directory)
        os.chown(directory, NOBODY, NOBODY)
        if primary:
            self.run("pg_basebackup", "-h", "127.0.0.1", "-p", str(primary.port), "-U", "log", "-D", "data", "-R", "-X", "stream", "-c", "fast")
        else:
            self.run("initdb", "-D", "data", "-U", "log", "--auth=trust", "-E", "UTF8", "--locale=C")
        self.start()

    def run(self, name, *words):
        owner = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
        return subprocess.run([os.path.join(PROGRAMS, name), *words], cwd=self.directory, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **owner)

    def start(self):
        self.run("pg_ctl", "-D", "data", "-l", "log", "-w", "-o", f"-h 127.0.0.1 -k '' -p {self.port}", "start")

    def stop(self):
        self.run("pg_ctl", "-D", "data", "-m", "immediate", "-w", "stop")

    def promote(self):
        self.run("pg_ctl", "-D", "data", "-w", "promote")

    def say(self, statement):
        words = [os.path.join(PROGRAMS, "psql"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "log", "-d", "postgres", "-At", "-c", statement]
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()

    def address(self, port=None):
        return f"postgres://log@127.0.0.1:{port or self.port}/postgres"


class Proxy:
    """Stands between a node and the database. To order it loses answers (what was asked is done, and nobody is told), or holds everything back."""

    def __init__(self, port):
        self.upstream, self.losing, self.lost, self.holding = port, False, 0, False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            near, _ = self.listener.accept()
            far = socket.create_connection(("127.0.0.1", self.upstream))
            threading.Thread(target=self.pump, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self.pump, args=(far, near, True), daemon=True).start()

    def pump(self, source, target, is_answer):
        try:
            while data := source.recv(65536):
                while self.holding:
                    time.sleep(0.02)
                # The answer to a commit of at least one record; those to other questions pass.
                if is_answer and self.losing and b"INSERT 0 " in data:
                    self.losing = False
                    self.lost += 1
                    break
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Node:
    """A node with a directory of its own."""

    def __init__(self, place, name, address, more=""):
        self.name, self.directory = name, os.path.join(place, name)
        os.mkdir(self.directory)
        config = os.path.join(self.directory, "config.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG + f'name = "{name}"\n[store]\nshared = "{address}"\n' + more)
        self.place = ["--config", config, "--data-dir", os.path.join(self.directory, "data")]
        self.log = open(os.path.join(self.directory, "log"), "a", encoding="utf-8")
        self.start()

    def start(self):
        self.standing, self.url = None, None
        self.process = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0", *self.place], stdout=subprocess.PIPE, stderr=self.log, text=True)
        threading.Thread(target=self.listen, args=(self.process,), daemon=True).start()

    def listen(self, process):
        for line in process.stdout:
            if line.startswith("standing by on "):
                self.standing = line.split()[-1]
            if line.startswith("listening on "):
                self.url = line.split()[-1]

    @property
    def leads(self):
        return self.url is not None and self.process.poll() is None

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(timeout=60)

    def call(self, method, path, body=None, key=None, timeout=60):
        request = urllib.request.Request((self.url or self.standing) + path, method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        if key:
            request.add_header("Authorization", f"Bearer {key}")
        try:
            with urllib.request.urlopen(request, timeout=timeout) as reply:
                text = reply.read()
                return reply.status, json.loads(text) if text.startswith(b"{") else text
        except urllib.error.HTTPError as refused:
            return refused.code, json.loads(refused.read())

    def cli(self, *words, check=True):
        return subprocess.run([BINARY, *words, *self.place], check=check, capture_output=True, text=True)

    def end_of_copy(self):
        with sqlite3.connect(f"file:{self.directory}/data/events.db?mode=ro", uri=True) as log:
            return log.execute("SELECT position, hex(chain) FROM events ORDER BY position DESC LIMIT 1").fetchone()


class Load:
    """Accounts opened and orders placed, by many, at whichever node leads; what was acknowledged is kept."""

    def __init__(self, nodes, threads=16):
        self.nodes, self.accounts, self.orders, self.wrong = nodes, [], [], []
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def run(self):
        key, placed = None, 0
        while not self.stopped.is_set():
            leader = next((node for node in self.nodes if node.leads), None)
            if leader is None:
                time.sleep(0.05)
                continue
            try:
                if key is None:
                    status, told = leader.call("POST", "/api/v1/register", {}, timeout=20)
                    if status == 200:
                        key = told["api_key"]
                        self.accounts.append(key)
                        leader.call("POST", "/api/v1/deposit/verify", {"tx_hash": os.urandom(32).hex()}, key, timeout=20)
                        # The simulated chain credits after two seconds.
                        time.sleep(2.5)
                        placed = 0
                else:
                    status, told = leader.call("POST", "/api/v1/order", {"platform": "google"}, key, timeout=20)
                    if status == 200:
                        self.orders.append((key, told["order_id"]))
                        placed += 1
                    if placed == 10 or (status != 200 and told["error_code"] == "INSUFFICIENT_BALANCE"):
                        key = None
                if status != 200 and not told["retryable"] and told["error_code"] != "INSUFFICIENT_BALANCE":
                    self.wrong.append((status, told))
            except (OSError, ValueError, http.client.HTTPException):
                pass

    def end(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()
        assert not self.wrong, self.wrong[:3]


def leader_of(nodes, seconds):
    until("one of the nodes leads", seconds, lambda: any(node.leads for node in nodes))
    return next(node for node in nodes if node.leads)


def holds(leader, load):
    """Everything that was acknowledged is there."""
    for key in load.accounts:
        status, told = leader.call("GET", "/api/v1/account", key=key)
        assert status == 200, (status, told)
    for key, order in load.orders:
        status, told = leader.call("GET", f"/api/v1/order/{order}", key=key)
        assert status == 200, (order, status, told)


def terms(database):
    return int(database.say("SELECT count(*) FROM log_records WHERE name = 'LeadershipTaken'"))


def with_a_synchronous_standby(place):
    """The primary dies under load and its synchronous standby is promoted: nothing acknowledged is lost."""
    primary = Database(os.path.join(place, "primary"))
    second = Database(os.path.join(place, "second"), primary)
    primary.say("ALTER SYSTEM SET synchronous_standby_names = '*'")
    primary.say("SELECT pg_reload_conf()")
    until("the standby is synchronous", 30, lambda: primary.say("SELECT sync_state FROM pg_stat_replication") == "sync")
    address = f"postgres://log@127.0.0.1:{primary.port},127.0.0.1:{second.port}/postgres"
    nodes = [Node(place, "first", address), Node(place, "other", address)]
    try:
        leader_of(nodes, 60)
        load = Load(nodes, threads=8)
        until("orders are placed", 90, lambda: len(load.orders) > 30)
        primary.stop()
        before, placed = time.monotonic(), len(load.orders)
        time.sleep(1)
        second.promote()
        until("orders are placed again", 60, lambda: len(load.orders) > placed + 10)
        seconds = time.monotonic() - before
        load.end()
        leader = leader_of(nodes, 30)
        holds(leader, load)
        assert terms(second) == 1, "the same node leads"
        for node in nodes:
            node.end()
            node.cli("audit", "verify")
        print(f"primary killed, its synchronous standby promoted after 1 s: ten more orders {seconds:.1f} s after the kill, {len(load.orders)} in all, none lost")
    finally:
        for node in nodes:
            if node.process.poll() is None:
                node.process.kill()
                node.process.wait()
        second.stop()


with tempfile.TemporaryDirectory() as place:
    os.chmod(place, 0o755)
    database = Database(os.path.join(place, "database"))
    proxy = Proxy(database.port)
    nodes = [Node(place, "north", database.address())]
    leader = leader_of(nodes, 60)
    nodes += [Node(place, name, database.address()) for name in ("south", "east")]
    try:
        for standby in nodes[1:]:
            until("a node stands by", 30, lambda: standby.standing)
            assert standby.call("GET", "/livez")[0] == 200
            for method, path in (("GET", "/readyz"), ("POST", "/api/v1/order"), ("GET", "/api/v1/account")):
                status, told = standby.call(method, path, {} if method == "POST" else None)
                assert status == 503 and told["retryable"], (path, status, told)
        assert terms(database) == 1

        # Killed under load; of two impatient standbys one takes over.
        load = Load(nodes)
        until("orders are placed", 60, lambda: len(load.orders) > 50)
        leader.end(signal.SIGKILL)
        killed, before = leader, time.monotonic()
        leader = leader_of([node for node in nodes if node is not killed], PATIENCE + 30)
        seconds = time.monotonic() - before
        time.sleep(2)
        load.end()
        assert sum(node.leads for node in nodes) == 1 and terms(database) == 2, terms(database)
        assert load.orders and load.accounts
        holds(leader, load)
        print(f"killed under load: another leads after {seconds:.1f} s; {len(load.accounts)} accounts and {len(load.orders)} orders, all there")

        # Stopped and continued: the former leader writes nothing more, and ends.
        killed.start()
        until("the killed node stands by", 60, lambda: killed.standing)
        former = leader
        former.process.send_signal(signal.SIGSTOP)
        leader = leader_of([node for node in nodes if node is not former], PATIENCE + 30)
        load = Load([leader], threads=4)
        until("orders are placed", 60, lambda: len(load.orders) > 10)
        former.process.send_signal(signal.SIGCONT)
        assert former.process.wait(timeout=30) == 70, former.process.returncode
        load.end()
        holds(leader, load)
        assert terms(database) == 3, terms(database)
        former.start()
        until("the former leader stands by", 60, lambda: former.standing)
        print("stopped and continued: the former leader ended with 70, and stands by after its restart")

        # The database is away for five seconds, which is longer than the patience.
        load = Load(nodes, threads=4)
        until("orders are placed", 60, lambda: len(load.orders) > 10)
        database.stop()
        time.sleep(1.5)
        status, told = leader.call("GET", "/readyz")
        assert status == 503 and told["retryable"], (status, told)
        time.sleep(3.5)
        database.start()
        until("the leader serves again", 30, lambda: leader.call("GET", "/readyz")[0] == 200)
        time.sleep(1)
        load.end()
        holds(leader, load)
        assert terms(database) == 3 and leader.leads, "the same node leads"
        print("database away for 5 s: refused with retryable errors meanwhile, the same node goes on")

        # In order: another leads at once.
        ended = leader
        assert ended.end() == 0
        before = time.monotonic()
        leader = leader_of([node for node in nodes if node is not ended], PATIENCE + 30)
        print(f"ended in order: another serves {time.monotonic() - before:.1f} s later")
        assert database.say("SELECT count(*) FROM log_records WHERE name = 'LeadershipReleased'") == "1"
        if ended.process.poll() is not None:
            ended.start()
            until("the node that was ended stands by", 60, lambda: ended.standing)
        former = leader
        former.cli("node", "step-down", "--reason", "a new kernel", "--operator", "judge")
        assert former.process.wait(timeout=60) == 75, former.process.returncode
        leader = leader_of([node for node in nodes if node is not former], PATIENCE + 30)
        told = leader.cli("audit", "events", "--json", "--type", "LeadershipReleased").stdout.splitlines()
        assert "a new kernel" in told[-1] and "operator:judge" in told[-1], told
        assert "leader: " + leader.name in leader.cli("node", "status").stdout
        for node in nodes:
            if node.process.poll() is None and node is not leader:
                node.end()
        leader.end()

        # Every tenth answer to a commit is lost.
        lossy = Node(place, "lossy", database.address(proxy.port))
        leader_of([lossy], 60)
        load = Load([lossy], threads=4)
        while proxy.lost < 15:
            proxy.losing = True
            time.sleep(0.2)
        load.end()
        holds(lossy, load)
        lossy.cli("audit", "verify")
        print(f"{proxy.lost} answers lost: {len(load.orders)} orders acknowledged, all there")

        # Cut off from the database alone: another leads, and the healed one ends.
        other = nodes[0]
        other.start()
        until("a node stands by", 30, lambda: other.standing)
        before = terms(database)
        proxy.holding = True
        leader_of([other], PATIENCE + 30)
        until("the node that is cut off says so", 30, lambda: lossy.call("GET", "/readyz")[0] == 503)
        assert lossy.process.poll() is None and terms(database) == before + 1
        proxy.holding = False
        assert lossy.process.wait(timeout=60) == 70, lossy.process.returncode
        holds(other, load)
        other.end()
        lossy.start()
        leader_of([lossy], 60)
        lossy.end()
        print("cut off from the database: another leads, and the healed node ended with 70")

        # A database that has lost its end is refused with the positions, and mended from a copy.
        nodes.append(lossy)
        position, _ = lossy.end_of_copy()
        chain = database.say(f"SELECT encode(chain, 'hex') FROM log_records WHERE position = {position - 5}")
        database.say(f"DELETE FROM log_records WHERE position > {position - 5}; UPDATE log_head SET position = {position - 5}, chain = decode('{chain}', 'hex')")
        refused = subprocess.run([BINARY, "serve", "--listen", "127.0.0.1:0", *lossy.place], capture_output=True, text=True, check=False)
        assert refused.returncode == 1 and f"ends at position {position - 5}" in refused.stderr and f"position {position}" in refused.stderr, refused.stderr
        assert lossy.cli("node", "status", check=False).returncode == 1
        assert "5 records given" in lossy.cli("log", "push-missing").stdout
        assert lossy.cli("node", "status").returncode == 0

        # All copies are equal, and lawful.
        for node in nodes:
            if node is not lossy:
                node.start()
        leader = leader_of([node for node in nodes if node is not lossy], 60)
        time.sleep(1)
        for node in [node for node in nodes if node not in (lossy, leader)]:
            node.end()
        leader.end()
        lossy.start()
        leader_of([lossy], 60)
        lossy.end()
        for node in [node for node in nodes if node is not lossy]:
            # Each follows to the end, and leads for a moment.
            node.start()
            leader_of([node], 60)
            node.end()
        for node in reversed(nodes):
            node.start()
        until("all follow", 60, lambda: sum(node.leads for node in nodes) == 1 and all(node.standing for node in nodes))
        head = database.say("SELECT position || ' ' || upper(encode(chain, 'hex')) FROM log_head")
        until("all copies end where the log does", 30, lambda: all(" ".join(map(str, node.end_of_copy())) == database.say("SELECT position || ' ' || upper(encode(chain, 'hex')) FROM log_head") for node in nodes))
        for node in nodes:
            if not node.leads:
                node.end()
                node.cli("audit", "verify")
        leader = leader_of(nodes, 1)
        leader.cli("audit", "verify")
        leader.end()
        print(f"{len(nodes)} copies of a log with {terms(database)} leaderships are equal and lawful")
    finally:
        for node in nodes:
            if node.process.poll() is None:
                node.process.kill()
                node.process.wait()
        database.stop()
    with_a_synchronous_standby(place)
