"""A real gammu-smsd on its dummy modem: its messages reach their orders through the script that we ship, and wait while the service is away."""

import json
import os
import subprocess
import tempfile
import time

from nodes import Server
from service import Service

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPT = os.path.join(ROOT, "contrib", "gammu", "telenumerus-gammu")
SECRET = "whsec_0123456789abcdef"
NUMBER = "+12025550101"
CONFIG = f"""
enabled = false
[suppliers.own]
inbound_secret = "{SECRET}"
sends_times = true
[[suppliers.own.numbers]]
number = "{NUMBER}"
country = "US"
"""


class Modem:
    """A dummy modem with a daemon of its own, ended when left."""

    def __init__(self, home, url):
        self.home, self.settings = home, os.path.join(home, "telenumerus.ini")
        for folder in ("phone/sms/1", "inbox", "outbox", "sent", "errors"):
            os.makedirs(os.path.join(home, folder), exist_ok=True)
        self.point_at(url)
        daemon = f"""
[gammu]
device = {home}/phone
connection = none
model = dummy
[smsd]
service = files
phoneid = modem1
logfile = {home}/smsd.log
debuglevel = 1
commtimeout = 1
receivefrequency = 1
checksecurity = 0
inboxpath = {home}/inbox/
inboxformat = detail
outboxpath = {home}/outbox/
sentsmspath = {home}/sent/
errorsmspath = {home}/errors/
runonreceive = {SCRIPT} {self.settings}
"""
        with open(os.path.join(home, "smsd.conf"), "w", encoding="utf-8") as file:
            file.write(daemon)

    def point_at(self, url):
        with open(self.settings, "w", encoding="utf-8") as file:
            file.write(f"[telenumerus]\nurl = {url}\nsecret = {SECRET}\nnumber = {NUMBER}\ninbox = {self.home}/inbox\n")

    def receives(self, *parts):
        """A message in parts, laid into the modem's memory."""
        for place, part in enumerate(parts, 1):
            raw = part.encode("utf-16-be")
            lines = ["[SMSBackup000]", "PDU = Deliver", 'SMSC = "+12025550000"', f"DateTime = {time.strftime('%Y%m%dT%H%M%S')}", "State = UnRead"]
            lines += ['Number = "Google"', "Coding = Unicode_No_Compression", "Folder = 1", f"Length = {len(raw) // 2}", f"Text00 = {raw.hex().upper()}"]
            if len(parts) > 1:
                lines.append(f"UDH = 05000307{len(parts):02X}{place:02X}")
            free = 1
            while os.path.exists(path := os.path.join(self.home, "phone", "sms", "1", str(free))):
                free += 1
            with open(path, "w", encoding="utf-8") as file:
                file.write("\n".join(lines) + "\n")

    def files(self, folder):
        path = os.path.join(self.home, folder)
        return sorted(os.listdir(path)) if os.path.isdir(path) else []

    def log(self):
        with open(os.path.join(self.home, "smsd.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def __enter__(self):
        # As a bare daemon runs: without a locale.
        self.daemon = subprocess.Popen(["gammu-smsd", "-c", os.path.join(self.home, "smsd.conf")], env={**os.environ, "LC_ALL": "C"}, stdout=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        self.daemon.terminate()
        self.daemon.wait()


def until(what):
    """Waits for what must come; a minute is no measure, only an end."""
    for _ in range(600):
        if what():
            return
        time.sleep(0.1)
    raise RuntimeError("it never came")


with Service(CONFIG) as service, tempfile.TemporaryDirectory() as home:
    accounts = [service.register(dollars=20) for _ in range(2)]

    def code(account, deliver):
        order = service.call("POST", "/api/v1/order", {"platform": "google"}, account["api_key"])[1]
        deliver()
        return service.call("GET", f"/api/v1/order/{order['order_id']}?wait=30", None, account["api_key"])[1]

    text = "Ваш код Google: 482913 👍\nText01 = 0031\r\nNumberUnicode = 0041\rText00 = 0032\n"
    with Modem(home, service.url) as modem:
        ended = code(accounts[0], lambda: modem.receives(text))
        assert (ended["code"], ended["sms"], ended["messages"][0]["from"]) == ("482913", text, "Google"), ended
        service.call("POST", f"/api/v1/order/{ended['order_id']}/finish", None, accounts[0]["api_key"])
    # The number is free again, and rests from Google alone; another platform's order may have it. A modem counts in whole seconds, and what came in
    # the second in which the number changed hands would be the first order's.
    time.sleep(1.1)
    with Modem(home, "http://127.0.0.1:9") as modem:
        order = service.call("POST", "/api/v1/order", {"platform": "discord"}, accounts[1]["api_key"])[1]
        modem.receives("Your Discord verification ", "code is 777111")
        until(lambda: "Subprocess output" in modem.log().partition("Multipart message")[2])
        assert len(modem.files("inbox")) == 1, modem.files("inbox")
        modem.point_at(service.url)
        until(lambda: subprocess.run([SCRIPT, modem.settings, "--flush"], check=True) and not modem.files("inbox"))
        ended = service.call("GET", f"/api/v1/order/{order['order_id']}?wait=30", None, accounts[1]["api_key"])[1]
        assert (ended["code"], ended["sms"]) == ("777111", "Your Discord verification code is 777111"), ended
        assert len(modem.files("delivered")) == 2, modem.files("delivered")
    # What the service will never take, and what it cannot take just now, do not hold up the rest.
    texts = {"IN20261124_01": "fails", "IN20261124_02": "refused " + "ж" * 3350, "IN20261124_03": "taken"}
    answers = {"fails": 503, "refused": 413, "taken": 200}
    with Server(lambda _, sent: (answers[json.loads(sent)["text"].split()[0]], b"")) as stub:
        modem.point_at(stub.url)
        # What is no message of smsd's is skipped with a word.
        os.mkdir(os.path.join(home, "inbox", "IN20261124_00"))
        with open(os.path.join(home, "inbox", "IN20261123_01.txt"), "wb") as file:
            file.write(b"\xff\x00 not smsd's detail format")
        before = {folder: len(modem.files(folder)) for folder in ("inbox", "delivered", "refused")}
        for name, text in texts.items():
            with open(os.path.join(home, "inbox", name + ".txt"), "w", encoding="ascii") as file:
                file.write("".join(f"{field} = {value.encode('utf-16-be').hex().upper()}\n" for field, value in (("NumberUnicode", "Google"), ("Text00", text))))
        done = subprocess.run([SCRIPT, modem.settings], capture_output=True, text=True)
        assert done.returncode == 1 and done.stderr.count("is skipped: ") == 2, done
        after = {folder: len(modem.files(folder)) for folder in before}
        assert {folder: after[folder] - before[folder] for folder in before} == {"inbox": 1, "delivered": 1, "refused": 1}, (before, after)
    service.audit()
    print("gammu-smsd: a message in one part and one in two, without a locale, the service away in between")
