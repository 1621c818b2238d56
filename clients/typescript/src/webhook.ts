// Whether a delivery is the service's: Standard Webhooks.

import { createHmac, timingSafeEqual } from "node:crypto";
import type { WebhookEvent } from "./schema.js";

const TOLERANCE_SECONDS = 300;

/** The delivery is not the service's, or not of now. Answer 400, and do nothing else. */
export class SignatureRefused extends Error {
  override name = "SignatureRefused";
}

/** As `node:http` gives them, or as `fetch` does. */
export type WebhookHeaders = Headers | Record<string, string | string[] | undefined>;

/** What was delivered, if it was signed with `secret` (as registration showed it) lately. `body` is what arrived, byte for byte. */
export function verifyWebhook(
  secret: string, headers: WebhookHeaders, body: string | Uint8Array, { toleranceSeconds = TOLERANCE_SECONDS, now = Date.now() / 1000 } = {},
): WebhookEvent {
  const [delivery, moment, signatures] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => header(headers, name));
  if (!delivery || !moment || !signatures || !/^\d+$/.test(moment)) throw new SignatureRefused("the webhook headers are missing or not as they should be");
  if (Math.abs(now - Number(moment)) > toleranceSeconds) throw new SignatureRefused("the delivery is too old, or the clocks differ");
  const expected = createHmac("sha256", key(secret)).update(`${delivery}.${moment}.`).update(body).digest();
  // After a rotation there are two: of the old secret, and of the new one.
  const isSigned = signatures.split(" ").map((signature) => {
    const [version, value] = signature.split(",");
    const given = Buffer.from(value ?? "", "base64");
    return version === "v1" && given.length === expected.length && timingSafeEqual(given, expected);
  });
  if (!isSigned.includes(true)) throw new SignatureRefused("no signature is of this secret and this body");
  return JSON.parse(typeof body === "string" ? body : Buffer.from(body).toString("utf8")) as WebhookEvent;
}

function header(headers: WebhookHeaders, name: string): string | undefined {
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  const found = Object.entries(headers).find(([given]) => given.toLowerCase() === name)?.[1];
  return Array.isArray(found) ? found[0] : found;
}

function key(secret: string): Buffer {
  const text = secret.replace(/^whsec_/, "");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw new TypeError("the webhook secret is not as registration shows it: whsec_ and base64");
  return Buffer.from(text, "base64");
}
