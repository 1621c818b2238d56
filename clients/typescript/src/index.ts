// A client of a Telenumerus service: register, pay in, order a number, get the code.

export type * from "./schema.js";
export type { CallOptions } from "./calls.js";
export { CallFailed, Client, CodeNotYet, NoCode, NoReply, type Settings } from "./client.js";
export { solveChallenge } from "./proof_of_work.js";
export { SignatureRefused, verifyWebhook, type WebhookHeaders } from "./webhook.js";
