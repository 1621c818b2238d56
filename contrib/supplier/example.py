#!/usr/bin/env python3
"""A source of numbers in one file: the pull protocol of docs/suppliers.md over a SQLite file.

    SUPPLIER_TOKEN=... ./example.py --port 9090 --database numbers.db --numbers numbers.txt

numbers.txt has one number a line: `+12025550123 US`. Whatever receives messages (a modem, a gateway) writes them into the table
`messages`; `./example.py --database numbers.db --deliver +12025550123 Google "G-482913 is your code"` does it by hand.
"""

import argparse
import hmac
import json
import os
import sqlite3
import threading
import urllib.parse
import uuid
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COST = "0.10"
PAGE = 500
SCHEMA = """
CREATE TABLE IF NOT EXISTS numbers (number TEXT PRIMARY KEY, country TEXT NOT NULL, dead INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS leases (
    reference TEXT PRIMARY KEY, number TEXT, outcome TEXT, leased_at TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS one_lease_a_number ON leases (number) WHERE outcome IS NULL;
CREATE TABLE IF NOT EXISTS messages (id TEXT PRIMARY KEY, number TEXT NOT NULL, sender TEXT NOT NULL, text TEXT NOT NULL, received_at TEXT NOT NULL);
"""


def now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Source:
    """One connection behind one lock: what it answers is in the file."""

    def __init__(self, path):
        self.lock = threading.Lock()
        self.database = sqlite3.connect(path, check_same_thread=False, timeout=10)
        self.database.executescript(SCHEMA)

    def lease(self, reference, country):
        with self.lock, self.database:
            known = self.database.execute("SELECT number, outcome FROM leases WHERE reference = ?", (reference,)).fetchone()
            if known:
                return (410, {"error": "released"}) if known[1] else (200, {"number": known[0], "cost": COST})
            free = self.database.execute(
                "SELECT number FROM numbers WHERE country = ? AND NOT dead AND number NOT IN (SELECT number FROM leases WHERE outcome IS NULL)"
                " ORDER BY (SELECT max(leased_at) FROM leases WHERE leases.number = numbers.number) NULLS FIRST LIMIT 1",
                (country,),
            ).fetchone()
            if not free:
                return 409, {"error": "no_number"}
            self.database.execute("INSERT INTO leases VALUES (?, ?, NULL, ?)", (reference, free[0], now()))
            return 200, {"number": free[0], "cost": COST}

    def look(self, reference):
        with self.lock:
            lease = self.database.execute(
                "SELECT leases.number, outcome, leased_at, dead FROM leases JOIN numbers USING (number) WHERE reference = ?", (reference,)
            ).fetchone()
            if not lease:
                return 404, {"error": "unknown"}
            number, outcome, leased_at, dead = lease
            found = self.database.execute(
                "SELECT id, sender, text, received_at FROM messages WHERE number = ? AND received_at >= ? ORDER BY received_at", (number, leased_at)
            )
            messages = [{"id": id, "from": sender, "text": text, "received_at": at} for id, sender, text, at in found] if not outcome else []
            return 200, {"state": "released" if outcome else "dead" if dead else "leased", "messages": messages}

    def release(self, reference, outcome):
        with self.lock, self.database:
            self.database.execute("INSERT OR IGNORE INTO leases VALUES (?, NULL, ?, ?)", (reference, outcome, now()))
            self.database.execute("UPDATE leases SET outcome = ? WHERE reference = ? AND outcome IS NULL", (outcome, reference))
            number, outcome = self.database.execute("SELECT number, outcome FROM leases WHERE reference = ?", (reference,)).fetchone()
            return 200, {"cost": COST if number and outcome == "served" else 0}

    def leases(self, since, cursor):
        with self.lock:
            found = self.database.execute(
                "SELECT reference, number, outcome FROM leases WHERE reference > ? AND (outcome IS NULL OR leased_at >= ?) ORDER BY reference LIMIT ?",
                (cursor, since, PAGE),
            ).fetchall()
            shown = [
                {
                    "reference": reference,
                    "number": number,
                    "state": "released" if outcome else "leased",
                    "cost": COST if number and outcome in (None, "served") else 0,
                }
                for reference, number, outcome in found
            ]
            return 200, {"leases": shown, "next": found[-1][0] if len(found) == PAGE else None}

    def deliver(self, number, sender, text):
        with self.lock, self.database:
            self.database.execute("INSERT INTO messages VALUES (?, ?, ?, ?, ?)", (uuid.uuid4().hex, number, sender, text, now()))


def handler(source, token):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, status, body):
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def serve(self):
            length = int(self.headers.get("content-length") or 0)
            body = self.rfile.read(length)
            given = self.headers.get("authorization") or ""
            if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
                return self.answer(401, {"error": "wrong_token"})
            address = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(address.query))
            place = [urllib.parse.unquote(part) for part in address.path.split("/") if part]
            if place == ["leases"] and self.command == "POST":
                try:
                    wanted = json.loads(body)
                    reference, country = wanted["reference"], wanted["country"]
                except (ValueError, KeyError, TypeError):
                    return self.answer(400, {"error": "reference and country are needed"})
                return self.answer(*source.lease(str(reference), str(country)))
            if place == ["leases"] and self.command == "GET":
                return self.answer(*source.leases(query.get("since", ""), query.get("cursor", "")))
            if len(place) == 2 and place[0] == "leases" and self.command == "GET":
                return self.answer(*source.look(place[1]))
            if len(place) == 2 and place[0] == "leases" and self.command == "DELETE":
                return self.answer(*source.release(place[1], query.get("outcome", "unused")))
            return self.answer(404, {"error": "not_found"})

        do_GET = do_POST = do_DELETE = serve

        def log_message(self, *_):
            pass

    return Handler


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--port", type=int, default=9090)
    arguments.add_argument("--database", default="numbers.db")
    arguments.add_argument("--numbers")
    arguments.add_argument("--deliver", nargs=3, metavar=("NUMBER", "SENDER", "TEXT"))
    given = arguments.parse_args()
    source = Source(given.database)
    if given.deliver:
        return source.deliver(*given.deliver)
    if given.numbers:
        with open(given.numbers, encoding="utf-8") as lines, source.database:
            source.database.executemany(
                "INSERT OR IGNORE INTO numbers (number, country) VALUES (?, ?)", (line.split()[:2] for line in lines if line.strip())
            )
    server = ThreadingHTTPServer(("127.0.0.1", given.port), handler(source, os.environ["SUPPLIER_TOKEN"]))
    server.request_queue_size = 64
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
