"""The official SDKs of Twilio, Telnyx and Vonage against the stand-ins that our own API clients are tested with: what one takes for the telecom, the other does."""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
FAKES = os.path.join(os.path.dirname(os.environ["TELENUMERUS_BIN"]), "fakes")

for telecom in ("twilio", "telnyx", "vonage"):
    with subprocess.Popen([FAKES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as fakes:
        url = fakes.stdout.readline().strip()
        done = subprocess.run(["node", os.path.join(HERE, "telecoms.mjs"), telecom, url], timeout=120)
        fakes.stdin.close()
        if done.returncode:
            sys.exit(f"the SDK of {telecom} and its stand-in are of two minds")
