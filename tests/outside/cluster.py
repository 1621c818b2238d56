"""Nodes over one log on Debian's PostgreSQL, for the judges of several nodes: the database, what stands in front of it, nodes, and callers."""

import glob
import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
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
[esdb]
listen = "127.0.0.1:0"
[[esdb.readers]]
name = "copier"
token = "a-token-of-a-copier-which-is-long"
rights = ["bytes"]
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

    def say(self, statement, name="postgres"):
        words = [os.path.join(PROGRAMS, "psql"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "log", "-d", name, "-At", "-c", statement]
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()

    def address(self, port=None, name="postgres"):
        return f"postgres://log@127.0.0.1:{port or self.port}/{name}"


class Proxy:
    """Stands between a node and the database. To order it loses answers (what was asked is done, and nobody is told), or holds back what is asked, what is answered, or both."""

    def __init__(self, port):
        self.upstream, self.losing, self.lost, self.holding = port, False, 0, ()
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
                while ("answers" if is_answer else "questions") in self.holding:
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

    def __init__(self, place, name, address, more="", otherwise=None, environment=None):
        self.environment = {**os.environ, **(environment or {})}
        self.name, self.directory = name, os.path.join(place, name)
        os.mkdir(self.directory)
        config = os.path.join(self.directory, "config.toml")
        text = CONFIG + f'name = "{name}"\nurl = "http://{name}.example"\n[store]\nshared = "{address}"\n' + more
        for old, new in (otherwise or {}).items():
            text = text.replace(old, new)
        with open(config, "w", encoding="utf-8") as file:
            file.write(text)
        self.place = ["--config", config, "--data-dir", os.path.join(self.directory, "data")]
        self.log = open(os.path.join(self.directory, "log"), "a", encoding="utf-8")
        self.start()

    def start(self):
        self.standing, self.url = None, None
        self.process = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0", *self.place], stdout=subprocess.PIPE, stderr=self.log, text=True, env=self.environment)
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

    def call(self, method, path, body=None, key=None, timeout=60, headers=None):
        request = urllib.request.Request((self.url or self.standing) + path, method=method, headers=headers or {})
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

    def said(self):
        self.log.flush()
        with open(self.log.name, encoding="utf-8") as log:
            return log.read()

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
                if status == 500 or status != 200 and not told["retryable"] and told["error_code"] != "INSUFFICIENT_BALANCE":
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
