"""contrib/proxy under Debian's nginx and caddy: TLS, callers told apart by address, forged addresses worth nothing, streams unbuffered, long polls, a stop."""

import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time

# Five calls a minute for each address: what one caller has used up, another has.
os.environ["TELENUMERUS_LIMITS__PER_IP_PER_MINUTE"] = "5"
from service import Service  # noqa: E402

PAGES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "contrib", "proxy")
CONFIG = '[http]\ntrusted_proxies = ["127.0.0.1"]\n[orders]\nmax_concurrent_per_account = 9\n[suppliers.simulator]\ndelivery_seconds = [2.0, 2.5]\n'


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def page(name, changes):
    """The page as it stands, with the addresses of this test: what is to be changed must be there."""
    with open(os.path.join(PAGES, name), encoding="utf-8") as file:
        text = file.read()
    for old, new in changes:
        assert old in text, f"{name} has no {old}"
        text = text.replace(old, new)
    return text


def nginx(work, upstream, port, certificate, key):
    """Debian's nginx with the page as its only server."""
    text = page("nginx.conf", [
        ("127.0.0.1:8080", upstream), ("listen 443", f"listen 127.0.0.1:{port}"),
        ("/etc/ssl/sms.example.com.pem", certificate), ("/etc/ssl/sms.example.com.key", key),
    ])
    places = "".join(f"{name}_temp_path {work}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    with open(os.path.join(work, "nginx.conf"), "w", encoding="utf-8") as file:
        file.write(f"daemon off;\nuser root;\npid {work}/pid;\nerror_log {work}/error.log;\nevents {{}}\nhttp {{\naccess_log off;\n{places}{text}}}\n")
    command = ["nginx", "-p", work, "-e", f"{work}/error.log", "-c", os.path.join(work, "nginx.conf")]
    subprocess.run([*command, "-t", "-q"], check=True)
    return command


def caddy(work, upstream, port, certificate, key):
    """Debian's caddy with the page as its only site."""
    text = page("Caddyfile", [("127.0.0.1:8080", upstream), ("sms.example.com {", f"sms.example.com:{port} {{\n\tbind 127.0.0.1\n\ttls {certificate} {key}")])
    path = os.path.join(work, "Caddyfile")
    with open(path, "w", encoding="utf-8") as file:
        file.write("{\n\tadmin off\n\tauto_https disable_redirects\n}\n" + text)
    subprocess.run(["caddy", "validate", "--config", path, "--adapter", "caddyfile"], check=True, capture_output=True)
    return ["caddy", "run", "--config", path, "--adapter", "caddyfile"]


class Caller(http.client.HTTPSConnection):
    """Somebody at an address of the loopback network, who trusts the test's certificate alone."""

    def __init__(self, port, certificate, address):
        context = ssl.create_default_context(cafile=certificate)
        super().__init__("sms.example.com", port, timeout=60, context=context, source_address=(address, 0))
        self._create_connection = lambda _, *rest: socket.create_connection(("127.0.0.1", port), *rest)

    def ask(self, method, path, body=None, key=None, **headers):
        if body is not None:
            headers["Content-Type"] = "application/json"
        if key:
            headers["Authorization"] = f"Bearer {key}"
        self.request(method, path, None if body is None else json.dumps(body), headers)
        return self.getresponse()

    def json(self, *what, **more):
        reply = self.ask(*what, **more)
        return reply.status, json.loads(reply.read())


def judge(port, certificate, key, name):
    # Each call on a connection of its own, so that none is the one of somebody else.
    call = lambda address, **headers: Caller(port, certificate, address).json("GET", "/api/v1/health", **headers)[0]
    used = {"nginx": "127.0.0.2", "caddy": "127.0.1.2"}[name]
    assert [call(used) for _ in range(6)] == [200] * 5 + [429], "an address has its five calls"
    assert call(used, **{"X-Forwarded-For": "198.51.100.7"}) == 429, "a forged address is worth nothing"
    assert call(used.replace(".2", ".3")) == 200, "another caller has calls of its own"
    caller = Caller(port, certificate, "127.0.0.1")
    status, order = caller.json("POST", "/api/v1/order", {"platform": "google"}, key)
    assert status == 200, order
    began = time.monotonic()
    with caller.ask("GET", order["stream"], key=key) as stream:
        assert stream.status == 200
        told = [(time.monotonic() - began, line) for line in stream if line.startswith(b"data:")]
    assert told[0][0] < 1 < told[-1][0], f"the stream was held back: {[at for at, _ in told]}"
    assert b'"completed"' in told[-1][1]
    caller = Caller(port, certificate, "127.0.0.1")
    order = caller.json("POST", "/api/v1/order", {"platform": "google"}, key)[1]
    began = time.monotonic()
    done = caller.json("GET", f"{order['check_status']}?wait=30", None, key)[1]
    assert done["status"] == "completed" and 1 < time.monotonic() - began < 20, done
    status = caller.ask("POST", "/api/v1/order", {"platform": "x" * 70_000}, key).status
    # Caddy says so itself, or finds its own call broken off in the middle of the body: whichever comes first.
    assert status in {"nginx": [413], "caddy": [413, 502]}[name], f"a body beyond 64 KiB: {status}"
    return f"{name}: TLS, five calls an address, a stream of {len(told)} messages, a long poll"


def under(proxy, service, certificate, private, key):
    with tempfile.TemporaryDirectory() as work:
        port = free_port()
        environment = {**os.environ, "HOME": work, "XDG_DATA_HOME": work, "XDG_CONFIG_HOME": work}
        command = proxy(work, service.url.removeprefix("http://"), port, certificate, private)
        with open(os.path.join(work, "out"), "w+", encoding="utf-8") as log:
            running = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
            try:
                for _ in range(100):
                    with socket.socket() as probe:
                        if probe.connect_ex(("127.0.0.1", port)) == 0:
                            break
                    if running.poll() is not None:
                        break
                    time.sleep(0.1)
                if running.poll() is not None:
                    log.seek(0)
                    sys.exit(f"{proxy.__name__} did not start: {log.read()}")
                print(judge(port, certificate, key, proxy.__name__))
            finally:
                running.terminate()
                running.wait()


with Service(CONFIG, quick=False) as service, tempfile.TemporaryDirectory() as place:
    certificate, private = os.path.join(place, "certificate.pem"), os.path.join(place, "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=sms.example.com",
         "-addext", "subjectAltName=DNS:sms.example.com", "-out", certificate, "-keyout", private],
        check=True, capture_output=True,
    )
    key = service.register(dollars=5)["api_key"]
    for proxy in (nginx, caddy):
        under(proxy, service, certificate, private, key)
    service.audit()
