// Requests as Twilio, Telnyx and Vonage send them, judged by their own SDKs and by our inbound webhooks: `key`, or `send <settings>`.
import assert from "node:assert";
import crypto from "node:crypto";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.OUTSIDE_NODE}/`);
const twilio = require("twilio");
const { Telnyx } = require("telnyx");

const { SMS } = require("@vonage/sms");
const { AlgorithmTypes } = require("@vonage/auth");

const seed = Buffer.alloc(32, 7);
const privateKey = crypto.createPrivateKey({
  key: Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]),
  format: "der",
  type: "pkcs8",
});
if (process.argv[2] === "key") {
  const der = crypto.createPublicKey(privateKey).export({ format: "der", type: "spki" });
  console.log(der.subarray(-32).toString("base64"));
  process.exit(0);
}
const { url, publicUrl, token, publicKey, vonageSecret } = JSON.parse(process.argv[3]);
const texts = [
  "",
  "plain",
  "a+b c%20d&e=f",
  "línea uno\nline two\ttab",
  "您的包裹已送达，谢谢",
  "👍🏽 ﷽ \u00a0\u200b",
  "x".repeat(1600),
];

async function post(path, headers, body) {
  const answer = await fetch(url + path, { method: "POST", headers, body });
  return answer.status;
}

let judged = 0;
// What Twilio signs has no separators: what is not of Twilio's shape is refused (400) although the signature fits.
async function twilioSends(place, text, { more = {}, taken: whenSigned = 200 } = {}) {
  const id = `SM${String(place).padStart(32, "0")}`;
  const fields = { MessageSid: id, AccountSid: `AC${"0".repeat(31)}1`, To: "+12025550101", From: "Google", Body: text, NumSegments: "1", ...more };
  for (const path of ["/inbound/v1/twilio", "/inbound/v1/twilio?a=b%20c&d"]) {
    const signature = twilio.getExpectedTwilioSignature(token, publicUrl + path, fields);
    const form = new URLSearchParams();
    for (const [name, value] of Object.entries(fields)) for (const one of [value].flat()) form.append(name, one);
    const cases = [
      [signature, fields, form.toString()],
      [signature.replace(/^./, (letter) => (letter === "A" ? "B" : "A")), fields, form.toString()],
      [signature, { ...fields, Body: `${text}!` }, new URLSearchParams({ ...Object.fromEntries(form), Body: `${text}!` }).toString()],
    ];
    for (const [signed, judgedFields, body] of cases) {
      const taken = twilio.validateRequest(token, signed, publicUrl + path, judgedFields);
      const headers = { "X-Twilio-Signature": signed, "Content-Type": "application/x-www-form-urlencoded" };
      assert.strictEqual(await post(path, headers, body), taken ? whenSigned : 401, `${path} ${JSON.stringify(judgedFields)}`);
      judged += 1;
    }
  }
}

const telnyx = new Telnyx({ apiKey: "KEY", publicKey });
async function telnyxSends(id, text, ageSeconds = 0) {
  const payload = { id, text, from: { phone_number: "Google" }, to: [{ phone_number: "+12025550102", status: "webhook_delivered" }], type: "SMS" };
  const body = JSON.stringify({ data: { event_type: "message.received", id: `e-${id}`, record_type: "event", payload } });
  const at = String(Math.floor(Date.now() / 1000) - ageSeconds);
  const signature = crypto.sign(null, Buffer.from(`${at}|${body}`), privateKey).toString("base64");
  for (const [signed, sent] of [[signature, body], [signature, `${body} `], [`AAAA${signature.slice(4)}`, body]]) {
    const headers = { "telnyx-signature-ed25519": signed, "telnyx-timestamp": at, "content-type": "application/json" };
    const taken = await telnyx.webhooks.unwrap(sent, { headers }).then(
      () => true,
      () => false,
    );
    assert.strictEqual(await post("/inbound/v1/telnyx", headers, sent), taken ? 200 : 401, `${ageSeconds} ${sent}`);
    judged += 1;
  }
  return judged;
}

const vonage = new SMS({ apiKey: "key", apiSecret: "secret" });
async function vonageSends(id, text, more = {}) {
  const fields = { messageId: id, msisdn: "Google", to: "12025550103", text, type: "text", keyword: "A&B=C", nonce: id, "api-key": "key", ...more };
  fields.timestamp ??= String(Math.floor(Date.now() / 1000));
  const text_ = Object.keys(fields).sort().map((name) => `&${name}=${fields[name].replace(/[&=]/g, "_")}`).join("");
  const signature = crypto.createHmac("sha512", vonageSecret).update(text_).digest("hex");
  const cases = [
    [fields, signature],
    [{ ...fields, text: `${text}!` }, signature],
    [fields, signature.replace(/^./, (letter) => (letter === "a" ? "b" : "a"))],
    [fields, crypto.createHash("md5").update(text_ + vonageSecret).digest("hex")],
  ];
  for (const [judgedFields, sig] of cases) {
    const taken = vonage.verifySignature(sig, judgedFields, vonageSecret, AlgorithmTypes.sha512hmac);
    const form = new URLSearchParams({ ...judgedFields, sig }).toString();
    const json = JSON.stringify({ ...judgedFields, sig });
    const expected = taken ? 200 : 401;
    assert.strictEqual(await post("/inbound/v1/vonage", { "Content-Type": "application/x-www-form-urlencoded" }, form), expected, form);
    assert.strictEqual(await post("/inbound/v1/vonage", { "Content-Type": "application/json" }, json), expected, json);
    judged += 2;
  }
}

for (const [place, text] of texts.entries()) {
  await twilioSends(place, text);
  await telnyxSends(`m${place}`, text);
  await vonageSends(`v${place}`, text);
}
await twilioSends(20, "with a picture", { more: { NumMedia: "1", MediaUrl0: "https://api.twilio.com/1", MediaContentType0: "image/png", FromCity: "" } });
await twilioSends(21, "two of one name", { more: { FromCity: ["b", "a", "a"] }, taken: 400 });
await twilioSends(22, "names of nobody", { more: { "Ünicode": "", Zz: "1", aA: "2" }, taken: 400 });
for (const age of [-200, 200, 400, -400]) await telnyxSends(`m-age${age}`, "old or early", age);
await twilioSends(30, "G-100001 is your Google verification code.");
await telnyxSends("m-code", "G-100002 is your Google verification code.");
const concat = { concat: "true", "concat-ref": "7", "concat-total": "2" };
await vonageSends("v-code-2", "100003", { ...concat, "concat-part": "2" });
await vonageSends("v-code-1", "Your Google code is ", { ...concat, "concat-part": "1" });
console.log(`${judged} requests: the SDKs and the service agrees on each`);
