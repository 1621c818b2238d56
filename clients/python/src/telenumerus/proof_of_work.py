"""The work that opening an account takes, where the operator wants some."""

import hashlib
from typing import Any, Dict, Mapping


def solve_challenge(challenge: Mapping[str, Any]) -> Dict[str, str]:
    """The answer to `proof_of_work` of `register_challenge()`, or of a refusal's `detail["registration"]`: what `register(proof_of_work=…)` takes."""
    if challenge["algorithm"] != "sha256":
        raise ValueError(f"this client does not know {challenge['algorithm']}; a newer one may")
    text, shift = challenge["challenge"], 256 - challenge["difficulty"]
    number = 0
    while int.from_bytes(hashlib.sha256(f"{text}:{number}".encode()).digest(), "big") >> shift:
        number += 1
    return {"challenge": text, "solution": str(number)}
