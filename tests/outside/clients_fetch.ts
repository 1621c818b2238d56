// The guide's story over openapi-typescript's types.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { argv: string[] };

type Order = components["schemas"]["Order"];

const url = process.argv[2]!;
const stranger = createClient<paths>({ baseUrl: url });
const registered = await stranger.POST("/api/v1/register", { body: {} });
if (!registered.data) throw new Error(registered.error.error_code);
const key = registered.data.api_key;
const client = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${key}` } });
for (let status: string | undefined; status !== "confirmed"; await new Promise((resume) => setTimeout(resume, 200))) {
  const deposit = await client.POST("/api/v1/deposit/verify", { body: { tx_hash: "a1".repeat(32), idempotency_key: "deposit-1" } });
  if (!deposit.data || deposit.data.status === "rejected") throw new Error(JSON.stringify(deposit));
  status = deposit.data.status;
}
// The key stands in the body, where the guide has it.
const body = { platform: "google", country: "GB", idempotency_key: "order-1" } as const;
const placed = await client.POST("/api/v1/order", { body });
const again = await client.POST("/api/v1/order", { body });
if (!placed.data || placed.data.order_id !== again.data?.order_id) throw new Error("an idempotency key in the body was lost");
let order: Order | undefined;
for (let tries = 0; tries < 20 && order?.status !== "completed"; tries += 1) {
  const read = await client.GET("/api/v1/order/{id}", { params: { path: { id: placed.data.order_id }, query: { wait: 5 } } });
  order = read.data;
}
if (!order?.code) throw new Error(JSON.stringify(order));
const refused = await client.POST("/api/v1/batch", { body: { orders: [{ platform: "google" }, { platform: "discord", country: "UK" }], idempotency_key: "b" } });
for (const row of refused.data?.orders ?? []) {
  // The two kinds of rows are told apart by their status.
  const words: string = "error_code" in row ? row.error_code : row.order_id;
  if (!words) throw new Error("a row without words");
}
const wrong = await client.POST("/api/v1/order", { body: { platform: "google", max_price: 0.01 } });
if (wrong.error?.error_code !== "ORDER_IN_PROGRESS" || !wrong.error.retryable) throw new Error(JSON.stringify(wrong));
console.log(`openapi-typescript: code ${order.code.length} digits for ${order.phone}`);
