"""Real chain nodes on loopback for the judge of deposits, and what stands in front of them: proxies that lag and lie, an Esplora door, rate sources."""

import base64
import http.server
import json
import os
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

USER, PASSWORD = "judge", "secret"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(what, why="it never came"):
    """Waits for what must come; two minutes are no measure, only an end."""
    for _ in range(1200):
        if found := what():
            return found
        time.sleep(0.1)
    raise RuntimeError(why)


def post(url, body, user=None):
    request = urllib.request.Request(url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"})
    if user:
        request.add_header("Authorization", "Basic " + base64.b64encode(user.encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.loads(reply.read())
    except urllib.error.HTTPError as refused:
        return json.loads(refused.read())


class Node:
    """A JSON-RPC node; ended when left."""

    def __init__(self):
        self.home = tempfile.TemporaryDirectory()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        self.home.cleanup()

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def ask(self, method, *params):
        answer = post(self.url, {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}, self.user)
        if answer.get("error"):
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def answers(self, method):
        try:
            self.ask(method)
            return True
        except (OSError, RuntimeError, ValueError):
            return False


class Litecoin(Node):
    """litecoind in regtest."""

    user = f"{USER}:{PASSWORD}"
    pays = True

    def start(self):
        arguments = [f"-datadir={self.home.name}", "-regtest", "-txindex=1", "-fallbackfee=0.0001", "-server", "-listen=0", "-dnsseed=0", "-listenonion=0"]
        arguments += [f"-rpcuser={USER}", f"-rpcpassword={PASSWORD}", f"-rpcport={self.port}", "-printtoconsole=0", "-vbparams=mweb:9999999998:9999999999"]
        self.process = subprocess.Popen(["litecoind", *arguments])
        until(lambda: self.answers("getblockchaininfo"), "litecoind did not start")
        if not self.ask("listwallets"):
            try:
                self.ask("loadwallet", "w")
            except RuntimeError:
                self.ask("createwallet", "w")
                self.ask("generatetoaddress", 120, self.ask("getnewaddress"))

    def mine(self, blocks=1):
        return self.ask("generatetoaddress", blocks, self.ask("getnewaddress"))

    def mine_empty(self, blocks=1):
        """Blocks that leave what waits waiting."""
        return [self.ask("generateblock", self.ask("getnewaddress"), [])["hash"] for _ in range(blocks)]

    def pay(self, amounts):
        return self.ask("sendmany", "", amounts)

    def script(self, address):
        return self.ask("validateaddress", address)["scriptPubKey"]


# A token of six decimals, USDT by name, that announces whatever transfer it is asked for: `transfer(to, value)`, and `0x00000002(to, value, to, value)` for two at once.
def token(decimal_places=6):
    transfer = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
    # value -> memory; LOG3(memory 0..32, transfer, caller, to)
    log = lambda to, value: f"60{value:02x}35600052" + f"60{to:02x}35" + "33" + f"7f{transfer}" + "6020" + "6000" + "a3"
    done = "600160005260206000f3"
    one, two = "5b" + log(0x04, 0x24) + done, "5b" + log(0x04, 0x24) + log(0x44, 0x64) + done
    decimals = "5b" + f"60{decimal_places:02x}600052" + "60206000f3"
    symbol = "5b" + "6020600052" + "6004602052" + "6355534454" + "60e01b" + "604052" + "60606000f3"
    head = "60003560e01c" + "8063a9059cbb14" + "60{one:02x}57" + "8063313ce56714" + "60{decimals:02x}57" + "806395d89b4114" + "60{symbol:02x}57"
    head += "6300000002" + "14" + "60{two:02x}57" + "60006000fd"
    places, at = {}, len(head.format(one=0, two=0, decimals=0, symbol=0)) // 2
    for name, code in (("decimals", decimals), ("symbol", symbol), ("one", one), ("two", two)):
        places[name], at = at, at + len(code) // 2
    return "0x" + head.format(**places) + decimals + symbol + one + two


class Anvil(Node):
    """anvil, with a token at USDT's address and another elsewhere."""

    user = None
    usdt, other = "0xdac17f958d2ee523a2206206994597c13d831ec7", "0x00000000000000000000000000000000000000aa"

    def start(self):
        binary = os.path.join(os.environ["OUTSIDE_NODE"], "node_modules", "@foundry-rs", "anvil-linux-amd64", "bin", "anvil")
        arguments = ["--port", str(self.port), "--chain-id", "1", "--slots-in-an-epoch", "1", "--no-mining", "--silent"]
        self.process = subprocess.Popen([binary, *arguments])
        until(lambda: self.answers("eth_chainId"), "anvil did not start")
        for contract in (self.usdt, self.other):
            self.ask("anvil_setCode", contract, token())
        self.payer = self.ask("eth_accounts")[0]
        self.mine(3)

    def mine(self, blocks=1):
        self.ask("anvil_mine", hex(blocks))

    def call(self, data, contract=None):
        """Sends a transaction; its hash."""
        return self.ask("eth_sendTransaction", {"from": self.payer, "to": contract or self.usdt, "data": data, "gas": hex(200_000)})

    @staticmethod
    def words(*pairs):
        return "".join(f"{to.lower().removeprefix('0x'):0>64}{units:064x}" for to, units in pairs)

    def transfer(self, to, units, contract=None):
        return self.call("0xa9059cbb" + self.words((to, units)), contract)


class Server:
    """An HTTP server of one function; ended when left."""

    def __init__(self, answer):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.reply(b"")

            def do_POST(self):
                self.reply(self.rfile.read(int(self.headers["Content-Length"])))

            def reply(self, body):
                status, text = answer(self.path, body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        # A service that was killed has not waited for its answer.
        self.server.handle_error = lambda *_: None
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Proxy(Server):
    """A node as somebody tells of it who lags, or hides payments, or invents some."""

    def __init__(self, node):
        self.node, self.last, self.hides = node, None, False
        super().__init__(self.answer)

    def answer(self, _path, body):
        asked = json.loads(body)
        answer = post(self.node.url, asked, self.node.user)
        method, params = asked["method"], asked["params"]
        if self.last is not None:
            if method == "getblockchaininfo":
                answer["result"].update(blocks=self.last, bestblockhash=self.node.ask("getblockhash", self.last))
            if method == "getblockhash" and params[0] > self.last:
                answer = {"result": None, "error": {"code": -8, "message": "Block height out of range"}}
        if self.hides and method == "getblock":
            answer["result"]["tx"] = answer["result"]["tx"][:1]
        return 200, json.dumps(answer).encode()


def esplora(node):
    """The node as an Esplora service tells of it."""

    def transaction(raw, block):
        outputs = [{"scriptpubkey": output["scriptPubKey"]["hex"], "value": round(output["value"] * 10**8)} for output in raw["vout"]]
        status = {"confirmed": bool(block), **({"block_height": block["height"], "block_hash": block["hash"]} if block else {})}
        return {"txid": raw["txid"], "vout": outputs, "status": status}

    def answer(path, _body):
        parts = path.strip("/").split("/")
        try:
            match parts:
                case ["blocks", "tip", "height"]:
                    return 200, str(node.ask("getblockcount")).encode()
                case ["block-height", height]:
                    return 200, node.ask("getblockhash", int(height)).encode()
                case ["block", hash_]:
                    block = node.ask("getblock", hash_, 1)
                    told = {"id": hash_, "height": block["height"], "tx_count": len(block["tx"]), "previousblockhash": block.get("previousblockhash")}
                    return 200, json.dumps(told).encode()
                case ["block", hash_, "txs", start]:
                    block = node.ask("getblock", hash_, 2)
                    page = block["tx"][int(start) : int(start) + 25]
                    return 200, json.dumps([transaction(raw, block) for raw in page]).encode()
                case ["tx", txid]:
                    raw = node.ask("getrawtransaction", txid, True)
                    block = node.ask("getblockheader", raw["blockhash"]) if "blockhash" in raw else None
                    return 200, json.dumps(transaction(raw, block)).encode()
        except RuntimeError:
            pass
        return 404, b"not found"

    return Server(answer)


class Rate(Server):
    """A source of rates that says what it is told to."""

    def __init__(self, rate):
        self.rate, self.age = rate, 0
        super().__init__(lambda *_: (200, json.dumps({"data": {"amount": self.rate, "time": int(time.time()) - self.age}}).encode()))
