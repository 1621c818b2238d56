"""Deposits on real nodes: litecoind in regtest for LTC and, by the same RPC, for BTC; an Esplora door before it; anvil for USDT; bip-utils for addresses."""

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time

from bip_utils import Bip39SeedGenerator, Bip44, Bip44Changes, Bip44Coins, Bip84, Bip84Coins
from bip_utils import Base58Decoder, Base58Encoder, SegwitBech32Decoder, SegwitBech32Encoder

from nodes import PASSWORD, USER, Anvil, Litecoin, Proxy, Rate, esplora, token, until
from service import BINARY, Service

SEED = Bip39SeedGenerator("abandon " * 11 + "about").Generate()
KEYS = {
    "btc": Bip84.FromSeed(SEED, Bip84Coins.BITCOIN).Purpose().Coin().Account(0),
    "ltc": Bip84.FromSeed(SEED, Bip84Coins.LITECOIN).Purpose().Coin().Account(0),
    "usdt_erc20": Bip44.FromSeed(SEED, Bip44Coins.ETHEREUM).Purpose().Coin().Account(0),
}
LITECOIN_REGTEST = "530827f38f93b43ed12af0b3ad25a288dc02ed74d6d7857862df51fc56c416f9"



def expected(currency, index):
    return KEYS[currency].Change(Bip44Changes.CHAIN_EXT).AddressIndex(index).PublicKey()


def xpub(currency):
    return KEYS[currency].PublicKey().ToExtended()


def endpoint(currency, url, kind="rpc"):
    return f'[[deposits.{currency}.endpoints]]\nkind = "{kind}"\nurl = "{url}"\nuser = "{USER}"\npassword = "{PASSWORD}"\n'


def coin(currency, *endpoints, rate='rate = "100"', more=""):
    network = 'network = "regtest"\n' + (f'genesis = "{LITECOIN_REGTEST}"\n' if currency == "btc" else "")
    # The simulator beside real money is wanted in so many words.
    return f'enabled = true\n[deposits.{currency}]\nxpub = "{xpub(currency)}"\n{network}poll_seconds = 1\n{rate}\n{more}\n' + "".join(endpoints)


class Account:
    def __init__(self, service, currency):
        self.service, self.currency = service, currency
        registered = service.register()
        self.id, self.key = registered["account_id"], registered["api_key"]
        self.address = until(lambda: self.get("deposit/addresses")["addresses"][currency], "no address was given")

    def get(self, path):
        status, body = self.service.call("GET", f"/api/v1/{path}", None, self.key)
        assert status == 200, body
        return body

    def verify(self, tx_hash, **more):
        status, body = self.service.call("POST", "/api/v1/deposit/verify", {"tx_hash": tx_hash, **more}, self.key)
        assert status == 200, body
        return body

    @property
    def balance(self):
        return self.get("account")["balance"]

    def has(self, dollars):
        until(lambda: abs(self.balance - dollars) < 1e-9, f"the balance never came to {dollars}")

    @property
    def payable(self):
        """The address as litecoind writes it: BTC's has the same witness program under another prefix."""
        if self.currency != "btc":
            return self.address
        return SegwitBech32Encoder.Encode("rltc", *SegwitBech32Decoder.Decode("bcrt", self.address))


def followed(service, currency):
    """Whether the watcher has looked through everything there is."""
    chain = next(chain for chain in service.call("GET", "/api/v1/health")[1]["chains"] if chain["name"] == currency)
    return chain["status"] == "ok" and chain["lag_blocks"] == 0 and chain["height"]


def caught_up(service, currency, node):
    height = node.ask("getblockcount")
    until(lambda: followed(service, currency) == height, f"{currency} is not followed to {height}")


def addresses():
    """10 000 indices of each key as bip-utils derives them, and litecoind's own deriveaddresses."""
    config = '[deposits]\n' + "".join(
        f'[deposits.{currency}]\nxpub = "{xpub(currency)}"\nrate = 1\n[[deposits.{currency}.endpoints]]\nurl = "http://127.0.0.1:9"\n' for currency in KEYS
    )
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(config)
        file.flush()
        for currency in KEYS:
            command = [BINARY, "addresses", currency, "--count", "10000", "--json", "--config", file.name]
            branch = KEYS[currency].Change(Bip44Changes.CHAIN_EXT)
            given = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            for index, address in enumerate(given):
                assert address == {"index": index, "address": branch.AddressIndex(index).PublicKey().ToAddress()}, (currency, address)
            assert len(given) == 10000
    print("bip-utils: 30 000 addresses, the same")


def secrets_stay_out():
    """A private key where the public one belongs: refused at start, and repeated nowhere."""
    private = KEYS["btc"].PrivateKey().ToExtended()
    for setting in (f'xpub = "{private}"', f'xpub = "{private}x"', f'shared_address = "{private}"', f'xpub = "{"abandon " * 11}about"'):
        with tempfile.TemporaryDirectory() as home:
            path = os.path.join(home, "config.toml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(f'[deposits.btc]\n{setting}\nrate = 1\n[[deposits.btc.endpoints]]\nurl = "http://127.0.0.1:9"\n')
            ended = subprocess.run([BINARY, "serve", "--config", path, "--data-dir", home], capture_output=True, text=True, timeout=60)
            assert ended.returncode != 0 and "deposits.btc" in ended.stderr, ended
            assert private[:20] not in ended.stdout + ended.stderr and "abandon" not in ended.stdout + ended.stderr, ended
            assert not any(name.startswith("events") for name in os.listdir(home))
    print("secrets: private keys refused at start, repeated nowhere")


def payments(service, node, currency, depths):
    """The life of payments on one chain, however it is asked."""
    one, other = Account(service, currency), Account(service, currency)
    assert [one.address, other.address] == sorted({one.address, other.address}, key=[one.address, other.address].index)
    unknown = one.verify("0x" + "AB" * 32)
    assert (unknown["status"], unknown["reason"]) == ("pending", "unknown") and "block explorer" in unknown["message"], unknown
    # A hint before any block, one confirmation after another, and the credit.
    need = 6 if currency == "ltc" else 1
    tx = node.pay({one.payable: 0.4})
    pending = one.verify(tx.upper())
    assert (pending["status"], pending["confirmations"], pending["confirmations_required"]) == ("pending", 0, need), pending
    assert other.verify(tx)["reason"] == "unknown"
    for have in range(1, need):
        node.mine()
        caught_up(service, currency, node)
        pending = one.verify(tx)
        assert (pending["status"], pending["confirmations"], one.balance) == ("pending", have, 0), pending
    node.mine()
    one.has(40)
    done = until(lambda: (seen := one.verify("0x" + tx))["status"] == "confirmed" and seen)
    assert (done["amount"], done["deposits"][0]["rate"], done["deposits"][0]["paid"]) == (40, "100", "0.4"), done
    assert other.verify(tx)["reason"] == "unknown"
    # One transaction, two accounts; an amount that needs more; dust.
    tx = node.pay({one.payable: 0.1, other.payable: 0.2, node.ask("getnewaddress"): 1})
    node.mine(need)
    one.has(50)
    other.has(20)
    large = node.pay({other.payable: 2})
    more = 20 if currency == "ltc" else 2
    node.mine(more - 1)
    caught_up(service, currency, node)
    assert (other.verify(large)["confirmations_required"], other.balance) == (more, 20)
    node.mine()
    other.has(220)
    for _ in range(3):
        node.pay({one.payable: 0.004})
        node.mine(need)
    one.has(51.2)
    # Reorganisations: the payment's block leaves the chain, its transaction waits, and comes back.
    for depth in depths:
        before = one.balance
        tx = node.pay({one.payable: 0.25})
        raw = node.ask("getrawtransaction", tx)
        block = node.mine(depth)[0]
        caught_up(service, currency, node)
        if depth >= need:
            one.has(before + 25)
        node.ask("invalidateblock", block)
        node.mine_empty(depth + 1)
        one.has(before)
        caught_up(service, currency, node)
        waiting = until(lambda: (seen := one.verify(tx))["confirmations"] in (0, None) and seen, "it kept the confirmations of a block that is gone")
        assert waiting["status"] in ("pending", "rejected"), waiting
        # A node forgets what stood more than ten blocks deep; its payer sends it again.
        if tx not in node.ask("getrawmempool"):
            node.ask("sendrawtransaction", raw)
        node.mine(need)
        one.has(before + 25)
    # A transaction that is replaced before it is in a block has paid nothing.
    before = one.balance
    tx = node.pay({one.payable: 0.3})
    spent = node.ask("getrawtransaction", tx, True)["vin"][0]
    value = node.ask("gettxout", spent["txid"], spent["vout"], False)["value"]
    raw = node.ask("createrawtransaction", [{"txid": spent["txid"], "vout": spent["vout"]}], {node.ask("getnewaddress"): round(value - 0.01, 8)})
    node.ask("generateblock", node.ask("getnewaddress"), [node.ask("signrawtransactionwithwallet", raw)["hex"]])
    node.mine(need)
    caught_up(service, currency, node)
    replaced = one.verify(tx)
    assert (replaced["status"], replaced["reason"], one.balance) == ("pending", "unknown", before), replaced
    listed = one.get("deposits?limit=200")["deposits"]
    assert len(listed) == 5 + len(depths) and abs(sum(row["amount"] for row in listed) - one.balance) < 1e-9, listed
    return one, other


def away_and_back(service, node, currency, one):
    """The node is away while blocks come, and the service is killed while it looks."""
    before, total = one.balance, 0
    for number in range(12):
        node.pay({one.payable: 0.05})
        node.mine(3)
        total += 5
        if number % 4 == 3:
            node.stop()
            time.sleep(1.5)
            node.start()
        time.sleep(random.random() * 0.4)
        service.kill()
        service.start()
    node.mine(6)
    one.has(before + total)
    caught_up(service, currency, node)
    service.audit()


def shared(node):
    """Fifty accounts claim one payment to the shared address at once, each writing its hash differently."""
    address = node.ask("getnewaddress", "", "bech32")
    with Service(coin("ltc", endpoint("ltc", node.url), more=f'shared_address = "{address}"')) as service:
        until(lambda: followed(service, "ltc"))
        status, open_ = service.call("GET", "/api/v1/deposit/addresses")
        assert status == 200 and open_["addresses"]["ltc"] == address and "first" in open_["message"] and not open_["personal"], open_
        own = Account(service, "ltc").get("deposit/addresses")
        assert own["addresses"]["ltc"] != address and own["personal"] and own["addresses"]["btc"] is None, own
        tx = node.pay({address: 0.1})
        accounts, answers = [service.register() for _ in range(50)], []

        def claim(number, key):
            text = "".join(letter.upper() if random.random() < 0.5 else letter for letter in tx)
            body = {"tx_hash": ("0x" if number % 2 else "") + text}
            answers.append((key, service.call("POST", "/api/v1/deposit/verify", body, key)[1]))

        threads = [threading.Thread(target=claim, args=(number, account["api_key"])) for number, account in enumerate(accounts)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # To the others it is as unknown as one that never was, or the node was too busy to say.
        winners = [key for key, answer in answers if answer["transaction_id"]]
        assert len(winners) == 1 and len(answers) == 50, [answer for _, answer in answers]
        node.mine(6)
        until(lambda: service.call("GET", "/api/v1/account", None, winners[0])[1]["balance"] == 10)
        balances = [service.call("GET", "/api/v1/account", None, account["api_key"])[1]["balance"] for account in accounts]
        assert sorted(balances) == [0] * 49 + [10], balances
        service.audit()


def two_endpoints(node):
    """A liar and a laggard beside an honest node: deposits wait until two agree."""
    with Proxy(node) as proxy, Service(coin("ltc", endpoint("ltc", node.url), endpoint("ltc", proxy.url))) as service:
        one = Account(service, "ltc")
        proxy.last = node.ask("getblockcount")
        node.pay({one.payable: 0.1})
        node.mine(8)
        time.sleep(3)
        assert one.balance == 0
        proxy.last = None
        one.has(10)
        proxy.hides = True
        node.pay({one.payable: 0.2})
        node.mine(8)
        until(lambda: "disagree" in (service.admin_json("deposits")["chains"][0]["error"] or ""), "nobody noticed")
        assert one.balance == 10
        proxy.hides = False
        one.has(30)
        service.audit()


def rates(node):
    """Rates from three sources: what they disagree about, or said too long ago, waits."""
    with Rate(101.5) as first, Rate("100") as second, Rate(300) as third:
        sources = "".join(
            f'[[deposits.ltc.rate_sources]]\nurl = "{source.url}/v1?key=hidden"\npointer = "/data/amount"\ntime_pointer = "/data/time"\n'
            for source in (first, second, third)
        )
        with Service(coin("ltc", endpoint("ltc", node.url) + sources, rate="")) as service:
            one = Account(service, "ltc")
            tx = node.pay({one.payable: 0.1})
            node.mine(6)
            caught_up(service, "ltc", node)
            time.sleep(2)
            assert (one.balance, one.verify(tx)["confirmations_required"]) == (0, None)
            third.age = 3600
            until(lambda: (node.mine(), one.balance)[1] == 10)
            deposit = one.get("deposits")["deposits"][0]
            assert deposit["rate"] == "100" and deposit["rate_source"].count("127.0.0.1") == 2, deposit
            assert "hidden" not in open(service.log.name, encoding="utf-8").read()
            service.audit()


def tokens():
    """USDT on anvil: only final blocks, only the token, only what went well."""
    with Anvil() as node:
        config = coin("usdt_erc20", endpoint("usdt_erc20", node.url), rate="").replace('network = "regtest"\n', "")
        with Service(config) as service:
            one, other = Account(service, "usdt_erc20"), Account(service, "usdt_erc20")
            tx = node.transfer(one.address, 12_500_000)
            waiting = one.verify(tx)
            assert (waiting["status"], waiting["confirmations"], waiting["deposits"][0]["paid"]) == ("pending", 0, "12.5"), waiting
            node.mine(2)
            waiting = until(lambda: (seen := one.verify(tx))["confirmations"] == 2 and seen)
            assert (waiting["status"], one.balance) == ("pending", 0), waiting
            node.mine(1)
            one.has(12.5)
            assert until(lambda: (seen := one.verify(tx.upper().replace("0X", "0x")))["status"] == "confirmed" and seen)["amount"] == 12.5
            # Another token, nothing, a call that fails; two accounts in one transaction.
            fakes = [node.transfer(one.address, 9_000_000, node.other), node.transfer(one.address, 0)]
            failed = node.call("0xdeadbeef" + node.words((one.address, 5_000_000)))
            both = node.call("0x00000002" + node.words((one.address, 2_000_000), (other.address, 3_000_000)))
            node.mine(4)
            one.has(14.5)
            other.has(3)
            for fake in fakes:
                assert one.verify(fake)["reason"] == "unknown"
            assert one.verify(failed)["reason"] == "failed", one.verify(failed)
            assert other.verify(both)["amount"] == 3
            # A reorganisation before the block is final: what is not there is not credited.
            gone = node.transfer(other.address, 7_000_000)
            node.mine(1)
            node.ask("anvil_reorg", 1, [])
            node.ask("anvil_dropAllTransactions")
            node.mine(6)
            until(lambda: followed(service, "usdt_erc20") == int(node.ask("eth_blockNumber"), 16))
            time.sleep(2)
            assert other.balance == 3, (other.balance, other.verify(gone))
            before = one.balance
            for _ in range(6):
                node.transfer(one.address, 1_500_000)
                node.mine(3)
                time.sleep(random.random() * 0.3)
                service.kill()
                service.start()
            one.has(before + 9)
            service.audit()
        wrong = config.replace("poll_seconds", "chain_id = 5\npoll_seconds")
        try:
            with Service(wrong):
                raise AssertionError("it started on another chain")
        except RuntimeError as refused:
            assert "another network" in str(refused), refused
        # A contract of eighteen decimals, and one of another name.
        node.ask("anvil_setCode", node.usdt, token(18))
        for other, why in ((config, "18 decimals"), (config.replace("poll_seconds", 'symbol = "USDC"\npoll_seconds'), "another token")):
            try:
                with Service(other):
                    raise AssertionError("it started with another token")
            except RuntimeError as refused:
                assert why in str(refused), refused
            node.ask("anvil_setCode", node.usdt, token())
    print("anvil: final blocks only; wrong contract, zero value, failed call, two in one, reorganisation, kills")


def deriveaddresses(node):
    """litecoind's own derivation."""
    tpub = Base58Encoder.CheckEncode(bytes.fromhex("043587cf") + Base58Decoder.CheckDecode(xpub("btc"))[4:])
    descriptor = node.ask("getdescriptorinfo", f"wpkh({tpub}/0/*)")["descriptor"]
    derived = node.ask("deriveaddresses", descriptor, [0, 99])
    ours = [SegwitBech32Encoder.Encode("rltc", *SegwitBech32Decoder.Decode("bc", expected("btc", index).ToAddress())) for index in range(100)]
    assert derived == ours
    print("litecoind: 100 addresses, the same")


def main():
    addresses()
    secrets_stay_out()
    with Litecoin() as node:
        deriveaddresses(node)
        with Service(coin("ltc", endpoint("ltc", node.url))) as service:
            one, _ = payments(service, node, "ltc", range(1, 14))
            away_and_back(service, node, "ltc", one)
            print("litecoind as LTC: confirmations, many outputs, dust, reorganisations of 1 to 13 blocks, replacement, node away, 12 kills")
        with Service(coin("btc", endpoint("btc", node.url))) as service:
            one, _ = payments(service, node, "btc", (1, 2, 6))
            away_and_back(service, node, "btc", one)
            print("litecoind's RPC as BTC: the same")
        with esplora(node) as door, Service(coin("ltc", endpoint("ltc", door.url, "esplora"))) as service:
            payments(service, node, "ltc", (1, 7))
            service.audit()
            print("Esplora's REST: the same")
        shared(node)
        two_endpoints(node)
        rates(node)
        print("a shared address and 50 claimers, a lagging and a lying endpoint, rates that disagree")
        wrong = coin("ltc", endpoint("ltc", node.url)).replace('network = "regtest"', 'network = "mainnet"')
        try:
            with Service(wrong):
                raise AssertionError("it started on another network")
        except RuntimeError as refused:
            assert "another network" in str(refused), refused
    tokens()


if __name__ == "__main__":
    random.seed(7)
    sys.exit(main())
