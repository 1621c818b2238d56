"""The client against a real service, whose address is in TELENUMERUS_URL: simulated deposits and numbers, several orders at a time, private webhook targets."""

import hashlib
import http.server
import os
import queue
import secrets
import socket
import threading
import time
import unittest
import urllib.request

from telenumerus import (
    CallFailed,
    Client,
    CodeNotYet,
    NoCode,
    NoReply,
    SignatureRefused,
    solve_challenge,
    verify_webhook,
)

URL = os.environ["TELENUMERUS_URL"]


def funded():
    account = Client(URL).register()
    client = Client(URL, account["api_key"])
    transaction = secrets.token_hex(32)
    while client.verify_deposit(transaction)["status"] != "confirmed":
        time.sleep(0.2)
    return client, account


class Between:
    """Stands between client and service, and loses or cuts replies: `lose` of them after the service has answered, `cut` bytes into a stream."""

    def __init__(self, lose=0, cut=None, refuse=None):
        self.lose, self.cut, self.refuse, self.keys, self.paths, self.last_ids = lose, cut, list(refuse or []), [], [], []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.serve(self, None)

            def do_POST(self):
                outer.serve(self, self.rfile.read(int(self.headers.get("content-length") or 0)))

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def serve(self, handler, body):
        self.keys.append(handler.headers.get("idempotency-key"))
        self.paths.append(handler.path)
        self.last_ids.append(handler.headers.get("last-event-id"))
        if self.refuse:
            status, headers, text = self.refuse.pop(0)
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(text)))
            handler.end_headers()
            handler.wfile.write(text)
            return
        names = ("authorization", "content-type", "idempotency-key", "last-event-id", "accept")
        headers = {name: handler.headers[name] for name in names if handler.headers.get(name)}
        with urllib.request.urlopen(urllib.request.Request(URL + handler.path, body, headers, method=handler.command), timeout=60) as reply:
            handler.close_connection = True
            if self.lose:
                self.lose -= 1
                reply.read()
                handler.connection.shutdown(socket.SHUT_RDWR)
                return
            handler.send_response(reply.status)
            handler.send_header("Content-Type", reply.headers.get("Content-Type", "text/plain"))
            handler.end_headers()
            sent = 0
            for line in reply:
                handler.wfile.write(line)
                handler.wfile.flush()
                sent += line == b"\n"
                if self.cut and sent >= self.cut:
                    return

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Story(unittest.TestCase):
    def test_register_deposit_order_code(self):
        client, account = funded()
        self.assertEqual(client.account()["balance"], 10)
        order = client.order("google", country="DE")
        done = client.wait_for_code(order["order_id"], 30)
        self.assertEqual((done["status"], done["code"]), ("completed", done["codes"][-1]["code"]))
        self.assertEqual(client.list_orders(status="completed")["orders"][0]["order_id"], order["order_id"])
        self.assertNotIn(account["api_key"], repr(client))
        client.finish(order["order_id"])
        self.assertIn("<svg", client.deposit_address_qr("btc"))

    def test_one_call_for_all_of_it(self):
        client, _ = funded()
        self.assertEqual(client.verify("telegram", timeout_seconds=30)["status"], "ok")

    def test_a_cancelled_order_has_no_code_and_gives_its_hold_back(self):
        client, _ = funded()
        order = client.order("steam", country="FR")  # what comes for it there is of another brand
        with self.assertRaises(CodeNotYet):
            client.wait_for_code(order["order_id"], 1)
        client.cancel(order["order_id"])
        with self.assertRaises(NoCode) as ended:
            client.wait_for_code(order["order_id"], 5)
        self.assertEqual(ended.exception.order["status"], "cancelled")
        self.assertEqual(client.account()["balance"], 10)


class Retries(unittest.TestCase):
    def test_a_lost_reply_is_asked_for_again_with_the_same_key_and_charges_once(self):
        client, account = funded()
        with Between(lose=2) as between:
            order = Client(between.url, account["api_key"]).order("google")
            self.assertEqual(len(between.keys), 3)
            self.assertEqual(len(set(between.keys)), 1)
        client.wait_for_code(order["order_id"], 30)
        self.assertEqual(len(client.list_orders()["orders"]), 1)
        self.assertAlmostEqual(client.account()["balance"], 10 - order["price"])

    def test_what_could_happen_twice_is_not_repeated(self):
        with Between(lose=1) as between:
            with self.assertRaises(NoReply):
                Client(between.url).register()
            self.assertEqual(len(between.paths), 1)

    def test_retryable_refusals_wait_as_they_say_and_others_end_at_once(self):
        busy = b'{"error":"later","error_code":"PROVIDER_UNAVAILABLE","retryable":true,"retry_after_seconds":1,"service":"Telenumerus","request_id":"req"}'
        with Between(refuse=[(503, {"Retry-After": "1"}, busy), (502, {"Retry-After": "1"}, b"<html>")]) as between:
            start = time.monotonic()
            Client(between.url).health()
            self.assertGreaterEqual(time.monotonic() - start, 2)
            self.assertEqual(len(between.paths), 3)
        with self.assertRaises(CallFailed) as refused:
            Client(URL, "tn_wrong").account()
        self.assertEqual((refused.exception.error_code, refused.exception.retryable), ("INVALID_API_KEY", False))

    def test_patience_has_an_end(self):
        busy = b'{"error":"later","error_code":"RATE_LIMITED","retryable":true,"retry_after_seconds":50,"service":"Telenumerus","request_id":"req"}'
        with Between(refuse=[(429, {}, busy)]) as between, self.assertRaises(CallFailed):
            Client(between.url, patience_seconds=10).health()

    def test_a_key_goes_nowhere_else(self):
        with Between(refuse=[(302, {"Location": URL + "/api/v1/health"}, b"")]) as between, self.assertRaises(CallFailed) as refused:
            Client(between.url, "tn_secret").health()
        self.assertEqual(refused.exception.status, 302)


class Streams(unittest.TestCase):
    def test_a_stream_ends_with_its_order(self):
        client, _ = funded()
        order = client.order("google")
        messages = list(client.stream(order["order_id"]))
        self.assertEqual(messages[-1]["event"], "completed")
        self.assertTrue(messages[-1]["code"])

    def test_a_cut_stream_is_resumed_without_gap_or_repeat(self):
        client, account = funded()
        order = client.order("google")
        whole = [message["event"] for message in client.stream(order["order_id"])]
        with Between(cut=1) as between:
            told = [message["event"] for message in Client(between.url, account["api_key"]).stream(order["order_id"])]
            self.assertEqual(told, whole)
            self.assertGreaterEqual(len(between.paths), len(whole))
            self.assertIsNone(between.last_ids[0])
            self.assertTrue(all(between.last_ids[1:]))

    def test_an_order_of_nobody_has_no_stream(self):
        client, _ = funded()
        with self.assertRaises(CallFailed) as refused:
            next(client.stream("ord_0000000000000000000000"))
        self.assertEqual(refused.exception.error_code, "ORDER_NOT_FOUND")


class Webhooks(unittest.TestCase):
    def test_deliveries_are_verified_and_forgeries_refused(self):
        arrived = queue.Queue()

        class Receiver(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                arrived.put((dict(self.headers), self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        client, account = funded()
        client.set_webhook(f"http://127.0.0.1:{server.server_port}/hook")
        client.wait_for_code(client.order("google")["order_id"], 30)
        headers, body = arrived.get(timeout=30)
        old = account["webhook_secret"]
        event = verify_webhook(old, headers, body)
        self.assertEqual(event["event"], "sms.received")
        for secret, given, text, now in [
            (old, headers, body + b" ", None),
            ("whsec_" + "AAAA" * 8, headers, body, None),
            (old, headers, body, time.time() + 400),
            (old, {}, body, None),
            (old, {**headers, "webhook-signature": "v1,w\u00f6rtlich"}, body, None),
        ]:
            with self.assertRaises(SignatureRefused):
                verify_webhook(secret, {name.lower(): value for name, value in given.items()}, text, now=now)
        new = client.rotate_webhook_secret()["webhook_secret"]
        client.test_webhook()
        headers, body = arrived.get(timeout=30)
        for secret in (old, new):
            self.assertEqual(verify_webhook(secret, headers, body.decode())["event"], "webhook.test")
        server.shutdown()
        server.server_close()

    def test_a_challenge_is_solved(self):
        challenge = {"challenge": "1.12.300.0000000000000000000007.ab", "algorithm": "sha256", "difficulty": 12, "expires_in": 300}
        answer = solve_challenge(challenge)
        self.assertEqual(answer["challenge"], challenge["challenge"])
        digest = hashlib.sha256(f"{answer['challenge']}:{answer['solution']}".encode()).hexdigest()
        self.assertTrue(digest.startswith("000"), digest)
        self.assertIsNone(Client(URL).register_challenge()["proof_of_work"], "this service wants none")


if __name__ == "__main__":
    unittest.main()
