"""contrib/prometheus and contrib/grafana: promtool reads and tests the rules, a live Prometheus scrapes the service and answers every query, and no query names a metric or label that is not there."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

import yaml
from service import Service

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
RULES = os.path.join(ROOT, "contrib", "prometheus", "telenumerus.rules.yml")
DASHBOARD = os.path.join(ROOT, "contrib", "grafana", "telenumerus.json")
NAME = re.compile(r"\btelenumerus_[a-z_]+")


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")


def get(url, **query):
    with urllib.request.urlopen(url + ("?" + urllib.parse.urlencode(query) if query else ""), timeout=30) as reply:
        return reply.read().decode()


def queries():
    """Every query, as Prometheus takes it."""
    with open(RULES, encoding="utf-8") as file:
        found = [("rule " + rule["alert"], rule["expr"]) for group in yaml.safe_load(file)["groups"] for rule in group["rules"]]
    with open(DASHBOARD, encoding="utf-8") as file:
        dashboard = json.load(file)
    for panel in dashboard["panels"]:
        found += [("panel " + panel["title"], target["expr"]) for target in panel.get("targets", [])]
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids)), "two panels have one id"
    return [(place, re.sub(r"\$__rate_interval", "1m", text).replace("$job", ".*").replace("$instance", ".*")) for place, text in found]


def families(text):
    """The names that a scrape may have, of which labels: those that were scraped now."""
    scraped = {}
    for line in text.splitlines():
        name, _, labels = line.partition(" ")[0].partition("{")
        if not line.startswith("#") and name.startswith("telenumerus_"):
            scraped.setdefault(name, set()).update(re.findall(r"(\w+)=", labels))
    return scraped


def known():
    """Every metric that the service has help for; what is counted seldom is in no fresh scrape."""
    with open(os.path.join(ROOT, "src", "telemetry", "exposition.rs"), encoding="utf-8") as file:
        return {"telenumerus_" + name for name in re.findall(r'^    \(\s*"(\w+)",\s*"', file.read(), flags=re.M)}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(base, asked):
    """Whether Prometheus scrapes the service, and answers each query with what is there."""
    deadline = time.monotonic() + 30
    while True:
        try:
            if json.loads(get(base + "/api/v1/query", query="up"))["data"]["result"]:
                break
        except OSError:
            pass
        if time.monotonic() > deadline:
            sys.exit("Prometheus does not scrape")
        time.sleep(0.3)
    time.sleep(2.5)
    answered = 0
    for place, query in asked:
        reply = json.loads(get(base + "/api/v1/query", query=query))
        assert reply["status"] == "success", (place, reply)
        answered += bool(reply["data"]["result"])
    firing = json.loads(get(base + "/api/v1/alerts"))["data"]["alerts"]
    assert not firing, f"a healthy service has alerts: {firing}"
    return answered


run("promtool", "check", "rules", RULES)
with open(os.path.join(HERE, "watching.rules.test.yml"), encoding="utf-8") as file:
    tested = file.read()
with open(RULES, encoding="utf-8") as file:
    untested = [name for name in re.findall(r"alert: (\w+)", file.read()) if f'alertname="{name}"' not in tested]
assert not untested, f"no test has them fire: {untested}"
with Service() as service, tempfile.TemporaryDirectory() as work:
    shutil.copy(RULES, work)
    shutil.copy(os.path.join(HERE, "watching.rules.test.yml"), work)
    run("promtool", "test", "rules", "watching.rules.test.yml", cwd=work)
    key = service.register(dollars=5)["api_key"]
    assert service.call("POST", "/api/v1/verify", {"platform": "google"}, key)[0] == 200
    service.log.seek(0)
    admin = re.search(r"admin=\S*?(127\.0\.0\.1:\d+)", service.log.read())[1]
    text = get(f"http://{admin}/metrics")
    scraped, listed, asked = families(text), known(), queries()
    wrong = []
    for place, query in asked:
        for name in NAME.findall(query):
            family = re.sub(r"_(bucket|sum|count)$", "", name) if name.startswith("telenumerus_http_request_seconds") else name
            if name not in scraped and family not in listed:
                wrong.append(f"{place}: no metric {name}")
        for name, labels in re.findall(r"(telenumerus_\w+)\{([^}]*)\}", query):
            if name in scraped:
                wrong += [f"{place}: {name} has no label {label}" for label in re.findall(r"(\w+)\s*[=!]", labels) if label not in scraped[name] | {"job", "instance"}]
    assert not wrong, "\n".join(wrong)
    with open(os.path.join(ROOT, "contrib", "prometheus", "scrape.yml"), encoding="utf-8") as file:
        config = yaml.safe_load(file)
    config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    config["scrape_configs"][0]["static_configs"][0]["targets"] = [admin]
    with open(os.path.join(work, "prometheus.yml"), "w", encoding="utf-8") as file:
        yaml.safe_dump(config, file)
    run("promtool", "check", "config", "prometheus.yml", cwd=work)
    port = free_port()
    with open(os.path.join(work, "log"), "w", encoding="utf-8") as log:
        prometheus = subprocess.Popen(
            ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address=127.0.0.1:{port}"],
            cwd=work, stdout=log, stderr=log,
        )
    try:
        answered = ask(f"http://127.0.0.1:{port}", asked)
    finally:
        prometheus.terminate()
        prometheus.wait()
    print(f"{len(asked)} queries of {len(scraped)} scraped and {len(listed)} listed metrics; {answered} have an answer on a fresh service, no alert fires")
