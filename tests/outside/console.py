"""The console in Debian's chromium: what its pages promise, line by line, with mouse and with keyboard, through a kill; axe-core on every page in light and dark.

CONSOLE_PICTURES=docs/console takes the pictures of docs/console.md as well."""

import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
import urllib.request

from service import BINARY, Service

HERE = os.path.dirname(os.path.abspath(__file__))
SECRET = "whsec_0123456789abcdef"
NUMBERS = [f"+4477009001{index:02}" for index in range(20)]
TOKENS = {"ada": "ada-token-0123456789abcdef", "vic": "vic-token-0123456789abcdef"}
CONFIG = (
    f'enabled = true\nfailure_rate = 0.0\n[deposits]\nsimulated = true\n[suppliers.own]\ninbound_secret = "{SECRET}"\nsends_times = true\n'
    + "".join(f'[[suppliers.own.numbers]]\nnumber = "{number}"\ncountry = "GB"\n' for number in NUMBERS)
    + "[webhooks]\nallow_private_targets = true\nallowed_ports = [9]\n"
    + f'[[admin.tokens]]\nname = "ada"\ntoken = "{TOKENS["ada"]}"\nrole = "operator"\n'
    + f'[[admin.tokens]]\nname = "vic"\ntoken = "{TOKENS["vic"]}"\nrole = "viewer"\n'
)


class Lasting(Service):
    """A service that comes back where it was."""

    port = 0

    def start(self):
        command = [BINARY, "serve", "--listen", f"127.0.0.1:{self.port}", *self.place]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.url = next((line.split()[-1] for line in self.process.stdout if line.startswith("listening on ")), None)
        if self.url is None:
            self.log.seek(0)
            sys.exit("the service did not start: " + self.log.read())
        self.port = int(self.url.rsplit(":", 1)[1])
        with open(os.path.join(self.directory.name, "admin.addr"), encoding="utf-8") as file:
            self.admin_address = file.read().strip()
        path = self.place[1]
        with open(path, encoding="utf-8") as file:
            config = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(config.replace('listen = "127.0.0.1:0"', f'listen = "{self.admin_address}"'))

    def sms(self, to, sender, text):
        """A message through the operator's own gateway."""
        body = json.dumps({"id": os.urandom(8).hex(), "to": to, "from": sender, "text": text}).encode()
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        request = urllib.request.Request(f"{self.url}/inbound/v1/own", data=body, method="POST")
        request.add_header("Content-Type", "application/json")
        request.add_header("X-Webhook-Signature", signature)
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status

    def events(self):
        """What the log holds, with who wanted it."""
        said = subprocess.run([BINARY, "audit", "events", "--json", *self.place], check=True, capture_output=True, text=True).stdout
        return [json.loads(line) for line in said.splitlines()]


def answer(service, asked):
    """What the browser's side asks of this one."""
    what = asked["do"]
    if what == "kill":
        service.kill()
        time.sleep(0.5)
        service.start()
        return {}
    if what == "sms":
        return {"status": service.sms(asked["to"], asked["from"], asked["text"])}
    if what == "call":
        status, body = service.call(asked["method"], asked["path"], asked.get("body"), asked.get("key"))
        return {"status": status, "body": body}
    if what == "events":
        return {"events": service.events()}
    if what == "verify":
        said = subprocess.run([BINARY, "audit", "verify", *service.place], check=True, capture_output=True, text=True)
        return {"said": said.stdout}
    raise ValueError(what)


def main():
    with Lasting(CONFIG) as service:
        settings = {
            "url": service.url,
            "admin": f"http://{service.admin_address}",
            "tokens": TOKENS,
            "token": open(os.path.join(service.directory.name, "admin.token"), encoding="utf-8").read().strip(),
            "pictures": os.environ.get("CONSOLE_PICTURES", ""),
        }
        command = ["node", os.path.join(HERE, "console.mjs"), json.dumps(settings)]
        browser = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for line in browser.stdout:
            if line.startswith("@"):
                browser.stdin.write(json.dumps(answer(service, json.loads(line[1:]))) + "\n")
                browser.stdin.flush()
            else:
                print(line, end="", flush=True)
        if browser.wait():
            sys.exit("the console is not what its pages promise")
        service.audit()


if __name__ == "__main__":
    main()
