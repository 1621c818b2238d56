// The work that opening an account takes, where the operator wants some.

import { createHash } from "node:crypto";
import type { ProofOfWork, ProofOfWorkChallenge } from "./schema.js";

/** The answer to `proof_of_work` of `registerChallenge()`, or of a refusal's `detail.registration`: what `register({ proof_of_work })` takes. */
export function solveChallenge({ challenge, algorithm, difficulty }: ProofOfWorkChallenge): ProofOfWork {
  if (algorithm !== "sha256") throw new Error(`this client does not know ${algorithm}; a newer one may`);
  for (let number = 0; ; number += 1) {
    const solution = String(number);
    if (zeroBits(createHash("sha256").update(`${challenge}:${solution}`).digest()) >= difficulty) return { challenge, solution };
  }
}

function zeroBits(hash: Uint8Array): number {
  const whole = hash.findIndex((byte) => byte !== 0);
  return whole < 0 ? 8 * hash.length : 8 * whole + Math.clz32(hash[whole] ?? 0) - 24;
}
