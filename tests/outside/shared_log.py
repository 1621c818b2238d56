"""Nodes over one log on Debian's PostgreSQL: killed, stopped and continued, cut from the database, their answers lost; one writes, nothing acknowledged is gone, all copies are equal."""

import json
import os
import signal
import sqlite3
import subprocess
import tempfile
import time

from cluster import BINARY, PATIENCE, Database, Load, Node, Proxy, holds, leader_of, terms, until


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
            until("it sees the log", 30, lambda: standby.call("GET", "/readyz")[1]["detail"].get("leader"))
            status, told = standby.call("GET", "/readyz")
            assert told["detail"]["follows"] and told["detail"]["leader"] == "http://north.example", told
            assert "standing by" in standby.cli("health", "--or-standby").stdout
            assert standby.cli("health", check=False).returncode == 1
            refused = standby.cli("node", "step-down", "--reason", "none", check=False)
            assert refused.returncode == 1 and "stands by" in refused.stderr and "north" in refused.stderr, refused
            assert '"shared log leader"' in standby.cli("doctor", "--json").stdout
            until("its copy has something", 30, standby.end_of_copy)
            # Other programs read a node's copy while it stands by.
            copied = os.path.join(place, "copy-of-" + standby.name)
            with open(os.path.join(standby.directory, "data", "esdb.addr"), encoding="utf-8") as file:
                endpoint = f"esdb://{file.read()}?tls=false"
            environment = {**os.environ, "TELENUMERUS_READER_TOKEN": "a-token-of-a-copier-which-is-long"}
            subprocess.run([BINARY, "follow", endpoint, copied, "--once"], check=True, capture_output=True, env=environment)
            with sqlite3.connect(f"file:{copied}/events.db?mode=ro", uri=True) as log:
                assert log.execute("SELECT count(*) FROM events").fetchone()[0] > 0
        assert terms(database) == 1

        # Another configuration, and a database that does not let in, say so.
        differs = Node(place, "differs", database.address(), otherwise={"max_concurrent_per_account = 200": "max_concurrent_per_account = 199"})
        until("a node stands by", 30, lambda: differs.standing)
        until("it says that it would not take over", 30, lambda: "would not take over" in differs.said())
        assert "configuration" in differs.cli("node", "status").stdout
        differs.end()
        stranger = Node(place, "stranger", database.address().replace("log@", "nobody@"))
        until("a node stands by", 30, lambda: stranger.standing)
        until("it is not let in", 30, lambda: stranger.call("GET", "/readyz")[1]["detail"].get("trouble") == "denied")
        assert "cannot take over" in stranger.said()
        assert "does not let" in stranger.cli("health", "--or-standby", check=False).stderr
        assert "nobody" in stranger.cli("doctor", check=False).stdout
        stranger.end()

        # Killed under load; of two impatient standbys one takes over.
        load = Load(nodes)
        until("orders are placed", 60, lambda: len(load.orders) > 50)
        leader.end(signal.SIGKILL)
        killed, before = leader, time.monotonic()
        assert "heard" in killed.cli("node", "status").stdout
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
        status, told = leader.call("POST", "/api/v1/register", {})
        assert status == 503 and told["retryable"] and told["error_code"] == "PROVIDER_UNAVAILABLE", (status, told)
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
        leader.end(signal.SIGKILL)
        until("a dead leader is none", PATIENCE + 30, lambda: "leader: nobody" in leader.cli("node", "status").stdout)
        assert not json.loads(leader.cli("node", "status", "--json").stdout)["leader"]["leads"]

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

        # Cut off from the database alone, one way or both: another leads, and the healed one ends.
        other = nodes[0]
        for holding in (("questions", "answers"), ("answers",), ("questions",)):
            other.start()
            until("a node stands by", 30, lambda: other.standing)
            before = terms(database)
            proxy.holding = holding
            leader_of([other], PATIENCE + 60)
            until("the node that is cut off says so", 30, lambda: lossy.call("GET", "/readyz")[0] == 503)
            assert lossy.process.poll() is None and terms(database) == before + 1
            proxy.holding = ()
            assert lossy.process.wait(timeout=60) == 70, lossy.process.returncode
            holds(other, load)
            other.end()
            lossy.start()
            leader_of([lossy], 60)
        lossy.end()
        print("cut off from the database, one way or both: another leads, and the healed node ended with 70")

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
