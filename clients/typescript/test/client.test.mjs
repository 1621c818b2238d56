// The client against a real service, whose address is in TELENUMERUS_URL: simulated deposits and numbers, several orders at a time, private webhook targets.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import http from "node:http";
import test from "node:test";
import { CallFailed, Client, CodeNotYet, NoCode, NoReply, SignatureRefused, solveChallenge, verifyWebhook } from "telenumerus";

const url = process.env.TELENUMERUS_URL;

async function funded() {
  const account = await new Client({ url }).register();
  const client = new Client({ url, apiKey: account.api_key });
  const tx_hash = randomBytes(32).toString("hex");
  while ((await client.verifyDeposit({ tx_hash })).status !== "confirmed") await new Promise((done) => setTimeout(done, 200));
  return { client, account };
}

/** A server that ends with the test. */
async function serve(t, handler) {
  const server = http.createServer(handler);
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => {
    server.closeAllConnections?.();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

/** Stands between client and service: loses replies after the service has answered, cuts streams after a message, or refuses. */
async function between(t, { lose = 0, cut = false, refuse = [] }) {
  const seen = { keys: [], lastIds: [] };
  seen.url = await serve(t, (request, response) => {
    seen.keys.push(request.headers["idempotency-key"]);
    seen.lastIds.push(request.headers["last-event-id"]);
    const refusal = refuse.shift();
    if (refusal) return response.writeHead(refusal[0], refusal[1]).end(refusal[2]);
    const onward = http.request(url + request.url, { method: request.method, headers: { ...request.headers, host: new URL(url).host } }, (reply) => {
      if (lose > 0) {
        lose -= 1;
        reply.resume().on("end", () => request.socket.destroy());
        return;
      }
      response.writeHead(reply.statusCode, reply.headers);
      reply.on("data", (bytes) => {
        response.write(bytes);
        if (cut && bytes.includes("\n\n")) setTimeout(() => request.socket.destroy(), 5);
      });
      reply.on("end", () => response.end()).on("error", () => response.destroy());
      response.on("close", () => onward.destroy());
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  return seen;
}

test("register, deposit, order, code", async () => {
  const { client } = await funded();
  assert.equal((await client.account()).balance, 10);
  const order = await client.order({ platform: "google", country: "DE" });
  const done = await client.waitForCode(order.order_id, 30);
  assert.equal(done.status, "completed");
  assert.equal(done.code, done.codes.at(-1).code);
  assert.equal((await client.listOrders({ status: "completed" })).orders[0].order_id, order.order_id);
  await client.finish(order.order_id);
  assert.equal((await client.verify({ platform: "telegram", timeout_seconds: 30 })).status, "ok");
});

test("a cancelled order has no code and gives its hold back", async () => {
  const { client } = await funded();
  const order = await client.order({ platform: "steam", country: "FR" }); // what comes for it there is of another brand
  await assert.rejects(client.waitForCode(order.order_id, 1), CodeNotYet);
  await client.cancel(order.order_id);
  await assert.rejects(client.waitForCode(order.order_id, 5), (ended) => ended instanceof NoCode && !(ended instanceof CodeNotYet) && ended.order.status === "cancelled");
  assert.equal((await client.account()).balance, 10);
});

test("a lost reply is asked for again with the same key and charges once", async (t) => {
  const { client, account } = await funded();
  const seen = await between(t, { lose: 2 });
  const order = await new Client({ url: seen.url, apiKey: account.api_key }).order({ platform: "google" });
  assert.equal(seen.keys.length, 3);
  assert.equal(new Set(seen.keys).size, 1);
  assert.ok(seen.keys[0]);
  await client.waitForCode(order.order_id, 30);
  assert.equal((await client.listOrders()).orders.length, 1);
  assert.ok(Math.abs((await client.account()).balance - (10 - order.price)) < 1e-9);
});

test("what could happen twice is not repeated", async (t) => {
  const seen = await between(t, { lose: 1 });
  await assert.rejects(new Client({ url: seen.url }).register(), NoReply);
  assert.equal(seen.keys.length, 1);
});

const refusal = (code, seconds) => JSON.stringify({ error: "later", error_code: code, retryable: true, retry_after_seconds: seconds, service: "Telenumerus", request_id: "req" });

test("retryable refusals wait as they say, and others end at once", async (t) => {
  const seen = await between(t, { refuse: [[503, {}, refusal("PROVIDER_UNAVAILABLE", 1)], [502, { "retry-after": "1" }, "<html>"]] });
  const start = performance.now();
  await new Client({ url: seen.url }).health();
  assert.ok(performance.now() - start >= 1990);
  await assert.rejects(new Client({ url, apiKey: "tn_wrong" }).account(), (failed) => failed instanceof CallFailed && failed.errorCode === "INVALID_API_KEY" && !failed.retryable);
});

test("patience has an end, and so has the caller's", async (t) => {
  const seen = await between(t, { refuse: [[429, {}, refusal("RATE_LIMITED", 50)], [429, {}, refusal("RATE_LIMITED", 50)]] });
  await assert.rejects(new Client({ url: seen.url, patienceSeconds: 10 }).health(), CallFailed);
  await assert.rejects(new Client({ url: seen.url }).health({ signal: AbortSignal.timeout(200) }), { name: "TimeoutError" });
});

test("a key goes nowhere else", async (t) => {
  const seen = await between(t, { refuse: [[302, { location: `${url}/api/v1/health` }, ""]] });
  await assert.rejects(new Client({ url: seen.url, apiKey: "tn_secret" }).health(), (failed) => failed instanceof CallFailed && failed.status === 302);
});

test("a stream ends with its order, and a cut one is resumed without gap or repeat", async (t) => {
  const { client, account } = await funded();
  const order = await client.order({ platform: "google" });
  const whole = [];
  for await (const message of client.stream(order.order_id)) whole.push(message.event);
  assert.equal(whole.at(-1), "completed");
  const seen = await between(t, { cut: true });
  const told = [];
  for await (const message of new Client({ url: seen.url, apiKey: account.api_key }).stream(order.order_id)) told.push(message.event);
  assert.deepEqual(told, whole);
  assert.ok(seen.lastIds.length >= 2 && !seen.lastIds[0] && seen.lastIds.slice(1).every(Boolean));
  await assert.rejects(client.stream("ord_0000000000000000000000").next(), (failed) => failed.errorCode === "ORDER_NOT_FOUND");
  for await (const message of client.stream(order.order_id)) {
    assert.ok(message.event); // whoever leaves lets go of the connection
    break;
  }
});

test("deliveries are verified and forgeries refused", async (t) => {
  const arrived = [];
  const waiting = [];
  const hook = await serve(t, async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const delivery = { headers: request.headers, body: Buffer.concat(parts) };
    const next = waiting.shift();
    next ? next(delivery) : arrived.push(delivery);
    response.writeHead(204).end();
  });
  const next = () => arrived.shift() ?? new Promise((done) => waiting.push(done));
  const { client, account } = await funded();
  await client.setWebhook({ url: `${hook}/hook` });
  await client.waitForCode((await client.order({ platform: "google" })).order_id, 30);
  const { headers, body } = await next();
  const old = account.webhook_secret;
  const event = verifyWebhook(old, headers, body);
  assert.equal(event.event, "sms.received");
  assert.deepEqual(verifyWebhook(old, new Headers({ ...headers }), body.toString()), event);
  const now = Date.now() / 1000 + 400;
  assert.throws(() => verifyWebhook(old, headers, `${body} `), SignatureRefused);
  assert.throws(() => verifyWebhook(`whsec_${"AAAA".repeat(8)}`, headers, body), SignatureRefused);
  assert.throws(() => verifyWebhook(old, headers, body, { now }), SignatureRefused);
  assert.throws(() => verifyWebhook(old, {}, body), SignatureRefused);
  const fresh = (await client.rotateWebhookSecret()).webhook_secret;
  await client.testWebhook();
  const second = await next();
  for (const secret of [old, fresh]) assert.equal(verifyWebhook(secret, second.headers, second.body).event, "webhook.test");
});

test("a challenge is solved", async () => {
  const asked = { challenge: "1.12.300.0000000000000000000007.ab", algorithm: "sha256", difficulty: 12, expires_in: 300 };
  const { challenge, solution } = solveChallenge(asked);
  assert.equal(challenge, asked.challenge);
  assert.match(createHash("sha256").update(`${challenge}:${solution}`).digest("hex"), /^000/);
  assert.equal((await new Client({ url }).registerChallenge()).proof_of_work, null, "this service wants none");
});
