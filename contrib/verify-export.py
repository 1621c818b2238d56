#!/usr/bin/env python3
"""Checks an export of a Telenumerus log (`telenumerus export`): that its signature is of the key
that it names, and that no line was changed, left out, repeated or put elsewhere since it was signed.

    verify-export.py export.jsonl --key "$(telenumerus audit anchors --show-key)"

Without --key it says which key has signed: ask the operator for it on another way. Needs Python 3.9
and the command `openssl` (1.1.1 or later), nothing else. Exits 0 if all holds, 1 and says what does
not otherwise.

What is checked, in this order:

  1. the first line is the header of a known format, the last one has `count`, `sha256`, `signature`;
  2. SHA-256 over all bytes before the last line is `sha256`, and `count` lines are between;
  3. the Ed25519 signature over "telenumerus export 1", the count and the SHA-256, each with a line
     feed behind it, is of the header's key; the header's anchor is signed with the same key;
  4. positions rise, none is behind the anchor; revisions of a stream rise;
  5. of an account its own stream is whole: it begins with revision 0 and has no gap;
  6. where two records follow each other in the log, the chain after the second is SHA-256 over the
     chain after the first, the position (8 bytes, big-endian) and the second's digest; the chain
     after the record at the anchor's position is the anchor's.
"""

import argparse
import base64
import hashlib
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

FORMAT = "telenumerus export 1"
ANCHOR = "telenumerus anchor 1"
# What stands before the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410).
SPKI = bytes.fromhex("302a300506032b6570032100")


class Wrong(Exception):
    """What does not hold, in words."""


def check(holds, text):
    if not holds:
        raise Wrong(text)


def parsed(line, what):
    try:
        value = json.loads(line)
    except ValueError:
        raise Wrong(f"{what} is no JSON") from None
    check(isinstance(value, dict), f"{what} is no JSON object")
    return value


def decoded(text, length, what):
    try:
        raw = base64.b64decode(text, validate=True)
    except (TypeError, ValueError):
        raise Wrong(f"{what} is no base64") from None
    check(len(raw) == length, f"{what} has {len(raw)} bytes, not {length}")
    return raw


def is_signed(key, signature, text):
    """Whether the key has signed the text."""
    with tempfile.TemporaryDirectory() as directory:
        place = pathlib.Path(directory)
        for name, raw in [("key", SPKI + key), ("signature", signature), ("text", text.encode())]:
            (place / name).write_bytes(raw)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-rawin"]
        command += ["-inkey", place / "key", "-sigfile", place / "signature", "-in", place / "text"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def anchor_of(header):
    """The anchor of a header, and its key; the key must have signed it."""
    anchor = header.get("anchor")
    check(isinstance(anchor, dict), "the header has no anchor")
    key = decoded(anchor.get("key"), 32, "the header's key")
    signature = decoded(anchor.get("signature"), 64, "the anchor's signature")
    signed = f"{ANCHOR}\n{anchor.get('position')}\n{anchor.get('chain')}\n{anchor.get('at')}\n"
    check(is_signed(key, signature, signed), "the anchor is not signed with the header's key")
    return anchor, key


class Walk:
    """What the records say of each other."""

    def __init__(self, header, anchor):
        self.anchor, self.scope = anchor, header.get("scope", {})
        self.own = self.scope.get("kind") == "account" and self.scope["account"].replace("acc_", "account-", 1)
        self.due, self.position, self.chain = {}, 0, None

    def step(self, number, record):
        where = f"line {number}"
        try:
            position, stream, revision = record["position"], record["stream"], record["revision"]
        except KeyError as missing:
            raise Wrong(f"{where} has no {missing}") from None
        check(position > self.position, f"{where}: position {position} is not behind the one before")
        check(position <= self.anchor["position"], f"{where}: position {position} is behind the anchor")
        due = self.due.get(stream, 0)
        is_next = revision == due if stream == self.own else revision >= due
        check(is_next, f"{where}: revision {revision} of {stream}, where {due} was due")
        self.due[stream] = revision + 1
        self.link(where, position, record)
        self.position, self.chain = position, record.get("chain")

    def link(self, where, position, record):
        if "chain" not in record:
            return
        if position == self.anchor["position"]:
            check(record["chain"] == self.anchor["chain"], f"{where}: its chain is not the anchor's")
        before = "00" * 32 if position == 1 else self.chain if position == self.position + 1 else None
        if before:
            linked = bytes.fromhex(before) + struct.pack(">Q", position) + bytes.fromhex(record["digest"])
            fits = hashlib.sha256(linked).hexdigest() == record["chain"]
            check(fits, f"{where}: the chain breaks here")


def verify(path, wanted):
    """Walks the file once; what is found out of it is told at the end."""
    digest, records, walk, header, held = hashlib.sha256(), 0, None, None, None
    with open(path, "rb") as lines:
        for number, line in enumerate(lines, 1):
            check(line.endswith(b"\n"), f"line {number} is cut off")
            if held is not None:
                digest.update(held)
            if number == 2:
                header = parsed(held, "the first line")
                check(header.get("format") == FORMAT, f"the first line is not of {FORMAT!r}")
                anchor, key = anchor_of(header)
                walk = Walk(header, anchor)
            elif number > 2:
                records += 1
                walk.step(number - 1, parsed(held, f"line {number - 1}"))
            held = line
    check(header is not None, "it has not even a header and a last line")
    last = parsed(held, "the last line")
    check({"count", "sha256", "signature"} <= last.keys(), "its last line is missing: it was cut off")
    check(last["count"] == records, f"it has {records} records, and was signed with {last['count']}")
    check(last["sha256"] == digest.hexdigest(), "its bytes are not those that were signed")
    signature = decoded(last["signature"], 64, "the signature")
    signed = f"{FORMAT}\n{last['count']}\n{last['sha256']}\n"
    check(is_signed(key, signature, signed), "the signature does not fit")
    shown = base64.b64encode(key).decode()
    check(wanted is None or wanted.strip() == shown, f"it is signed with another key: {shown}")
    return header, anchor, records, shown


def main():
    parser = argparse.ArgumentParser(description="Checks an export of a Telenumerus log.")
    parser.add_argument("file")
    parser.add_argument("--key", help="the public key that it must be signed with, in base64")
    options = parser.parse_args()
    try:
        header, anchor, records, key = verify(options.file, options.key)
    except (Wrong, OSError) as error:
        sys.exit(f"{options.file}: {error}")
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError, struct.error) as error:
        sys.exit(f"{options.file}: what stands in it is no export: {error}")
    print(f"{records} records of {json.dumps(header['scope'])}, whole and as they were signed")
    print(f"anchored at position {anchor['position']} of the log of {anchor['at']}")
    print(f"signed with {key}" + ("" if options.key else "; compare it with what the operator says"))


if __name__ == "__main__":
    main()
