"""Real SMSCs bring messages in: node-smpp in every alphabet, cut and hostile, through kills of either side; Kannel's drive_smpp as another."""

import itertools
import json
import os
import queue
import re
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.request

from nodes import free_port, until
from service import Service

HERE = os.path.dirname(os.path.abspath(__file__))
NUMBER = "+12025550101"
DRIVE = "/usr/lib/kannel/test/drive_smpp"


class Smsc:
    """node-smpp; ended when left."""

    def __init__(self, port=None):
        self.port = port or free_port()
        self.numbers = itertools.count()
        self.start()

    def start(self):
        self.facts, self.seen = queue.Queue(), []
        self.process = subprocess.Popen(
            ["node", os.path.join(HERE, "smpp.mjs"), str(self.port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        threading.Thread(target=self.listen, args=(self.process.stdout, self.facts), daemon=True).start()
        self.wait(lambda fact: fact.get("listening"))

    @staticmethod
    def listen(lines, facts):
        for line in lines:
            facts.put(json.loads(line))

    def wait(self, fits, seconds=60):
        """The next fact that fits; those before it are remembered."""
        for fact in list(self.seen):
            if fits(fact):
                self.seen.remove(fact)
                return fact
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                fact = self.facts.get(timeout=1)
            except queue.Empty:
                continue
            if fits(fact):
                return fact
            self.seen.append(fact)
        raise RuntimeError(f"it never came; there was {self.seen[-5:]}")

    def tell(self, **command):
        number = next(self.numbers)
        self.process.stdin.write(json.dumps({"id": number, **command}) + "\n")
        self.process.stdin.flush()
        return number

    def answer(self, number):
        return self.wait(lambda fact: fact.get("id") == number).get("status")

    def deliver(self, **message):
        """Sends a message; the SMSC's answer must be that it was taken."""
        status = self.answer(self.tell(deliver=message))
        assert status == 0, (message, status)

    def bound(self):
        return self.wait(lambda fact: "bound" in fact)

    def stop(self):
        self.process.stdin.close()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def config(*ports, mode="transceiver", user='system_id = "judge"\npassword = "secret"', rest=0):
    binds = "".join(f'[[suppliers.smpp.binds]]\naddress = "127.0.0.1:{port}"\nmode = "{mode}"\n{user}\nenquire_link_seconds = 1\n' for port in ports)
    return f'enabled = false\n[suppliers]\ncooldown_days = 0\nparts_wait_seconds = 20\nrest_seconds = {{ smpp = {rest} }}\n{binds}[[suppliers.smpp.numbers]]\nnumber = "{NUMBER}"\ncountry = "US"\n[deposits]\nsimulated = false\n'


def udh(reference, total, number, wide=False):
    return f"060804{reference:04x}{total:02x}{number:02x}" if wide else f"050003{reference:02x}{total:02x}{number:02x}"


def reached(service):
    """Whether the service knows that it is bound: before that no order gets a number."""
    suppliers = service.call("GET", "/api/v1/health")[1]["suppliers"]
    return next(one for one in suppliers if one["name"] == "smpp")["status"] == "ok"


def placed(service, account):
    return service.call("POST", "/api/v1/order", {"platform": "google"}, account["api_key"])


def number_given(service, account):
    """An order that has the number: the one before has given it up, or is about to."""
    return until(lambda: (answer := placed(service, account))[0] == 200 and answer[1])


def completed(service, account, send):
    """An order, what is sent for it, and how it ended."""
    until(lambda: reached(service))
    order = number_given(service, account)
    send()
    ended = service.call("GET", f"/api/v1/order/{order['order_id']}?wait=50", None, account["api_key"])[1]
    assert ended["status"] == "completed", ended
    # Else it would keep the number for what still comes.
    assert service.call("POST", f"/api/v1/order/{ended['order_id']}/finish", None, account["api_key"])[0] == 200
    return ended


def received(service, account, send):
    """An order, what is sent for it, and how it is once that has come; whether a code stands in it is not asked here."""
    until(lambda: reached(service))
    order = number_given(service, account)["order_id"]
    send()
    shown = until(lambda: (seen := service.call("GET", f"/api/v1/order/{order}", None, account["api_key"])[1])["messages"] and seen)
    end = "finish" if shown["code"] else "cancel"
    assert service.call("POST", f"/api/v1/order/{order}/{end}", None, account["api_key"])[0] == 200, shown
    return shown


def counted(service, outcome):
    address = open(os.path.join(service.directory.name, "admin.addr"), encoding="utf-8").read()
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as reply:
        found = re.search(rf'inbound_messages_total{{supplier="smpp",outcome="{outcome}"}} (\d+)', reply.read().decode())
    return int(found[1]) if found else 0


def alphabets(service, smsc, account):
    """One order an alphabet: the text arrives to the letter."""
    gsm = "Google 482913: @£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà ^{}[~]|€"
    cases = [
        (gsm, {"text": gsm}),
        ("Google 482914 \\", {"bytes": "Google 482914 \x1b/".encode("ascii").hex(), "coding": 0}),
        ("Código Google: 482915 ÁÍÓÚáíóúç", {"text": "Código Google: 482915 ÁÍÓÚáíóúç", "udh": "03240102"}),
        ("Google kodunuz: 482916 ĞğİŞşıç€", {"text": "Google kodunuz: 482916 ĞğİŞşıç€", "udh": "06250101240101"}),
        ("Google: 482917 ãõâÃÕÂêçÔôÁáÀÍÓÚ€∞", {"text": "Google: 482917 ãõâÃÕÂêçÔôÁáÀÍÓÚ€∞", "udh": "06250103240103"}),
        ("Ваш код Google: 482918 👍", {"text": "Ваш код Google: 482918 👍"}),
        ("Votre code Google : 482919 çâî", {"text": "Votre code Google : 482919 çâî", "coding": 3}),
        ("Google 482920 " + "x" * 900, {"payload": ("Google 482920 " + "x" * 900).encode("ascii").hex(), "coding": 3}),
        ("Google コード 482921", {"bytes": "Google コード 482921".encode("shift_jis").hex(), "coding": 5}),
        ("Код Google 482922", {"bytes": "Код Google 482922".encode("iso8859_5").hex(), "coding": 6}),
        ("קוד Google 482923", {"bytes": "קוד Google 482923".encode("iso8859_8").hex(), "coding": 7}),
        ("구글 코드 Google 482924", {"bytes": "구글 코드 Google 482924".encode("euc_kr").hex(), "coding": 14}),
    ]
    for text, sent in cases:
        shown = received(service, account, lambda sent=sent: smsc.deliver(**sent))
        assert (shown["sms"], shown["messages"][0]["from"]) == (text, "Google"), (text, shown)
    return len(cases)


def cut(service, smsc, account):
    """Long messages in parts: out of order, repeated, by header and by parameters, and one whose part never comes."""

    def headers():
        for number, text in ((3, "9250"), (1, "Ваш код "), (1, "Ваш код "), (2, "Google: 48")):
            smsc.deliver(text=text, udh=udh(7, 3, number), coding=8)

    assert completed(service, account, headers)["sms"] == "Ваш код Google: 489250"

    def halves():
        # A pair of surrogates, cut in two.
        whole = "Google code 489251 👍".encode("utf-16-be")
        smsc.deliver(bytes=udh(9, 2, 2, wide=True) + whole[-2:].hex(), coding=8, esm_class=0x40)
        smsc.deliver(bytes=udh(9, 2, 1, wide=True) + whole[:-2].hex(), coding=8, esm_class=0x40)

    assert completed(service, account, halves)["sms"] == "Google code 489251 👍"

    def parameters():
        for number, text in ((2, "489252"), (1, "Google code ")):
            smsc.deliver(bytes=text.encode().hex(), coding=3, sar_msg_ref_num=300, sar_total_segments=2, sar_segment_seqnum=number)

    assert completed(service, account, parameters)["sms"] == "Google code 489252"
    missing = completed(service, account, lambda: smsc.deliver(text="Google code 489253", udh=udh(8, 2, 1)))
    assert missing["sms"] == "Google code 489253[…]", missing

    def killed():
        smsc.deliver(text="Google code ", udh=udh(11, 2, 1))
        service.kill()
        service.start()
        assert smsc.bound()["bound"]
        smsc.deliver(text="489254", udh=udh(11, 2, 2))

    assert completed(service, account, killed)["sms"] == "Google code 489254"


def pdu(command, sequence, body, length=None):
    return b"".join(part.to_bytes(4, "big") for part in (16 + len(body) if length is None else length, command, 0, sequence)) + body


def message(text, more=b""):
    return b"\0\5\0Google\0\1\1" + NUMBER[1:].encode() + b"\0" + b"\0" * 3 + b"\0\0" + b"\0\0\3\0" + bytes([len(text)]) + text + more


def hostile(service, smsc, account):
    """What breaks the rules is refused, and neither ends the session nor the process; a flood neither."""
    bad = [
        pdu(0x05, 901, b""),
        pdu(0x05, 902, b"\xff" * 400),
        pdu(0x05, 903, message(b"x")[:-1] + b"\xff" + b"x"),
        pdu(0x0BAD, 904, b"whatever"),
        pdu(0x04, 905, message(b"a submit_sm")),
        pdu(0x05, 906, message(b"x", b"\x14\x00\xff\xffab")),
        pdu(0x80000005, 907, b""),
        pdu(0x15, 908, b"a body where there is none"),
    ]
    for one in bad:
        smsc.answer(smsc.tell(raw=one.hex()))
    assert smsc.answer(smsc.tell(enquire=True)) == 0
    # A parameter nobody knows does not cost the message.
    unknown = pdu(0x05, 910, message(b"Google code 489260", b"\x14\xff\x00\x03abc"))
    assert completed(service, account, lambda: smsc.tell(raw=unknown.hex()))["code"] == "489260"
    assert not [fact for fact in smsc.seen if "bound" in fact or "unbound" in fact], smsc.seen
    flood = [smsc.tell(deliver={"text": f"flood {number}", "destination_addr": f"1202555{number % 100:04}"}) for number in range(3000)]
    assert all(smsc.answer(number) == 0 for number in flood)
    # No frame has a beginning after this: the session is made anew.
    smsc.tell(raw=pdu(0x15, 911, b"", length=3).hex())
    assert smsc.bound()["bound"]
    smsc.tell(drop=True)
    assert smsc.bound()["bound"]
    return len(bad)


with Smsc() as smsc, Service(config(smsc.port)) as service:
    fact = smsc.bound()
    assert fact == {"bound": True, "how": "bind_transceiver", "version": 0x34}, fact
    account = service.register(dollars=50)
    read = alphabets(service, smsc, account)
    cut(service, smsc, account)
    smsc.deliver(text="id:1 stat:DELIVRD", esm_class=4)
    assert counted(service, "ignored") == 1
    refused = hostile(service, smsc, account)
    smsc.wait(lambda fact: fact.get("enquired"))
    # The SMSC is away, and back.
    smsc.stop()
    until(lambda: not reached(service))
    assert placed(service, account)[0] == 503, "no message could come"
    smsc.start()
    assert smsc.bound()["bound"]
    ended = completed(service, account, lambda: smsc.deliver(text="Google code 489261"))
    assert ended["code"] == "489261"
    service.audit()
    service.process.send_signal(signal.SIGTERM)
    smsc.wait(lambda fact: fact.get("unbound"))
    assert service.process.wait(20) == 0
    print(f"node-smpp: {read} alphabets, parts in every order, {refused} hostile PDUs, a flood of 3000, both sides killed and back, unbound at the end")

with Smsc() as one, Smsc() as other, Service(config(one.port, other.port)) as service:
    account = service.register(dollars=50)
    assert one.bound()["bound"] and other.bound()["bound"]
    for smsc, code in ((one, "489270"), (other, "489271")):
        assert completed(service, account, lambda smsc=smsc, code=code: smsc.deliver(text=f"Google code {code}"))["code"] == code
    service.audit()

with Smsc() as smsc, Service(config(smsc.port, rest=60)) as service:
    account = service.register(dollars=50)
    assert smsc.bound()["bound"]
    until(lambda: reached(service))
    status, order = placed(service, account)
    assert status == 200, order
    smsc.stop()
    until(lambda: not reached(service))
    assert service.call("POST", f"/api/v1/order/{order['order_id']}/cancel", {}, account["api_key"])[0] == 200
    smsc.start()
    assert smsc.bound()["bound"]
    until(lambda: reached(service))
    assert placed(service, account)[0] == 503, "the SMSC may hold a message to the order before"
    smsc.deliver(text="Google code 489290")
    assert counted(service, "order_ended") == 1
    service.audit()
    print("what an SMSC held back while it was away reaches no later order")


def tls(port, home):
    """TLS in front of an SMSC, with a certificate of its own: its port and that certificate."""
    key, certificate = os.path.join(home, "key.pem"), os.path.join(home, "certificate.pem")
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    door = socket.create_server(("127.0.0.1", 0))

    def pass_on(one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
        except OSError:
            pass
        other.close()

    def serve():
        while True:
            try:
                caller = context.wrap_socket(door.accept()[0], server_side=True)
            except (ssl.SSLError, ConnectionError):
                continue
            except OSError:
                return
            behind = socket.create_connection(("127.0.0.1", port))
            for pair in ((caller, behind), (behind, caller)):
                threading.Thread(target=pass_on, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return door.getsockname()[1], certificate


with Smsc() as smsc, tempfile.TemporaryDirectory() as home:
    port, certificate = tls(smsc.port, home)
    secure = config(port).replace("127.0.0.1", "localhost").replace("mode =", "tls = true\nmode =")
    with Service(secure) as service:
        until(lambda: "certificate" in open(service.log.name, encoding="utf-8").read(), "nobody noticed a stranger's certificate")
    with Service(secure.replace("tls = true", f'tls = true\nca_file = "{certificate}"')) as service:
        assert smsc.bound()["bound"]
        account = service.register(dollars=50)
        assert completed(service, account, lambda: smsc.deliver(text="Google code 489280"))["code"] == "489280"
    print("TLS: a certificate that is trusted, and one that is not")

with Smsc() as smsc, Service(config(smsc.port, user='system_id = "judge"\npassword = "wrong"')) as service:
    assert not smsc.bound()["bound"]
    until(lambda: "refuses the bind" in open(service.log.name, encoding="utf-8").read())
    assert "wrong" not in open(service.log.name, encoding="utf-8").read()

# drive_smpp tests a gateway whole: it also wants to be the gateway's box, whom nobody needs to answer.
with socket.create_server(("127.0.0.1", 13001)) as box:
    box.listen()
    port, messages = free_port(), 200
    driver = subprocess.Popen([DRIVE, "-p", str(port), "-m", str(messages), "-v", "1"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        with Service(config(port, mode="receiver", user='system_id = "foo"\npassword = "bar"\nsystem_type = "VMA"')) as service:
            # Its messages go to numbers that are none: each is answered so.
            until(lambda: counted(service, "unreadable") == messages, "drive_smpp's messages did not come")
    finally:
        driver.terminate()
        said = driver.communicate()[0]
    assert f"Number of messages sent to ESME: {messages}" in said, said
    print(f"drive_smpp: {messages} messages, each answered")
