"""Streams followed by npm's eventsource and PyPI's httpx-sse, cut and resumed hundreds of times: no gap, no repeat, always an end."""

import json
import os
import subprocess
import sys
import threading

import httpx
from httpx_sse import connect_sse

from service import Service

# An account may have 64 streams at a time, and a cut one counts until the service has noticed.
ORDERS = 40
# Every stream is cut after each message it gave: some five times an order.
CONFIG = "[orders]\nlifetime_seconds = 20\nmax_concurrent_per_account = 100\n[suppliers.simulator]\ndelivery_seconds = [0.3, 0.9]\ndead_number_rate = 0.5\nfailure_rate = 0.0\n"
TERMINAL = ("completed", "cancelled", "expired", "failed")


def follow(client, url, key):
    """A stream, cut after every message and resumed behind it."""
    seen, cuts = [], 0
    while True:
        headers = {"Authorization": f"Bearer {key}"}
        if seen:
            headers["Last-Event-ID"] = seen[-1][0]
        ended = True
        with connect_sse(client, "GET", url, headers=headers) as source:
            for message in source.iter_sse():
                seen.append((message.id, json.loads(message.data)["event"]))
                ended = False
                break
        cuts += 1
        if ended or seen[-1][1] in TERMINAL:
            return seen, cuts


def check(order, seen):
    numbers = [int(number) for number, _ in seen]
    assert numbers == list(range(1, len(numbers) + 1)), (order, seen)
    assert seen[-1][1] in TERMINAL, (order, seen)
    assert sum(event in TERMINAL for _, event in seen) == 1, (order, seen)


with Service(CONFIG, quick=False) as service:
    key = service.register(dollars=500)["api_key"]
    orders = [service.call("POST", "/api/v1/order", {"platform": "google"}, key)[1] for _ in range(ORDERS)]
    streams = [service.url + order["stream"] for order in orders]
    half = ORDERS // 2
    node = subprocess.Popen(
        ["node", os.path.join(os.path.dirname(os.path.abspath(__file__)), "streams.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    outcome = {}
    judge = threading.Thread(target=lambda: outcome.update(node=node.communicate(json.dumps({"key": key, "streams": streams[half:]}))[0]))
    judge.start()
    results = {}

    def run(stream):
        with httpx.Client(timeout=60) as client:
            results[stream] = follow(client, stream, key)

    threads = [threading.Thread(target=run, args=(stream,)) for stream in streams[:half]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    judge.join(timeout=120)
    if node.returncode:
        sys.exit("npm eventsource failed")
    told = json.loads(outcome["node"])
    for stream in streams[:half]:
        check(stream, results[stream][0])
    for stream in streams[half:]:
        check(stream, [tuple(message) for message in told["streams"][stream]])
    cuts = sum(cut for _, cut in results.values())
    service.audit()
    print(f"{ORDERS} streams, cut {cuts} times under httpx-sse and {told['cuts']} under eventsource: no gap, no repeat, every end")
