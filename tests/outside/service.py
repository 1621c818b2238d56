"""The real binary on a data directory of its own, for judges that are not ours."""

import json
import os
import subprocess
import tempfile
import urllib.error
import urllib.request

BINARY = os.environ["TELENUMERUS_BIN"]
NO_LIMITS = """
[limits]
per_ip_per_minute = 0
per_key_per_minute = 0
"""


class Service:
    """A service; ended when left."""

    def __init__(self, config="", quick=True, before=None):
        self.directory = tempfile.TemporaryDirectory()
        if before:
            before(self.directory.name)
        delivery = "[suppliers.simulator]\ndelivery_seconds = [0.05, 0.1]\n" if quick else ""
        path = os.path.join(self.directory.name, "config.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(NO_LIMITS + delivery + config + '\n[admin]\nlisten = "127.0.0.1:0"\n')
        self.place = ["--config", path, "--data-dir", self.directory.name]
        self.log = open(os.path.join(self.directory.name, "log"), "w+", encoding="utf-8")
        self.start()

    def start(self):
        """Starts the process, again after a kill."""
        self.process = subprocess.Popen(
            [BINARY, "serve", "--listen", "127.0.0.1:0", *self.place], stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        for line in self.process.stdout:
            if line.startswith("listening on "):
                self.url = line.split()[-1]
                break
        else:
            self.log.seek(0)
            raise RuntimeError("the service did not start: " + self.log.read())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        self.log.close()
        self.directory.cleanup()

    def kill(self):
        """Ends the process as a power cut would."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def call(self, method, path, body=None, key=None, headers=None):
        """One call: its status and its JSON."""
        request = urllib.request.Request(self.url + path, method=method, headers=dict(headers or {}))
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        if key:
            request.add_header("Authorization", f"Bearer {key}")
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status, json.loads(reply.read())
        except urllib.error.HTTPError as refused:
            return refused.code, json.loads(refused.read())

    def register(self, dollars=None):
        """A fresh account, with money if wanted: what registration answered."""
        status, account = self.call("POST", "/api/v1/register", {})
        assert status == 200, account
        if dollars:
            self.admin("credit", account["account_id"], str(dollars), "--reason", "test", "--operator", "judge")
        return account

    def admin(self, *words):
        """An operator's command."""
        subprocess.run([BINARY, "admin", *words, *self.place], check=True, stdout=subprocess.DEVNULL)

    def admin_json(self, *words):
        """What an operator's command answers."""
        return json.loads(subprocess.run([BINARY, "admin", *words, *(["--json"] if words[0] in ("deposits", "reports") else []), *self.place], check=True, capture_output=True).stdout)

    def audit(self):
        """The log is whole and lawful."""
        subprocess.run([BINARY, "audit", "verify", *self.place], check=True, stdout=subprocess.DEVNULL)
