// The guide's story over the client that @hey-api/openapi-ts makes.
import { client } from "./hey/client.gen.js";
import { account, getOrder, order, register, verifyDeposit } from "./hey/sdk.gen.js";

declare const process: { argv: string[] };

client.setConfig({ baseUrl: process.argv[2]! });
const registered = await register({ body: {}, throwOnError: true });
client.setConfig({ auth: registered.data.api_key });
for (let status: string | undefined; status !== "confirmed"; await new Promise((resume) => setTimeout(resume, 200))) {
  const deposit = await verifyDeposit({ body: { tx_hash: "b2".repeat(32) }, throwOnError: true });
  if (deposit.data.status === "rejected") throw new Error(JSON.stringify(deposit.data));
  status = deposit.data.status;
}
const body = { platform: "whatsapp", idempotency_key: "order-1" } as const;
const placed = await order({ body, throwOnError: true });
const again = await order({ body, throwOnError: true });
if (placed.data.order_id !== again.data.order_id) throw new Error("an idempotency key in the body was lost");
let code: string | null = null;
for (let tries = 0; tries < 20 && code === null; tries += 1) {
  const read = await getOrder({ path: { id: placed.data.order_id }, query: { wait: 5 }, throwOnError: true });
  code = read.data.code;
}
if (code === null) throw new Error("no code");
const mine = await account({ throwOnError: true });
const open: string | null = mine.data.active_order;
if (open !== null && mine.data.tier !== "Standard") throw new Error(open);
console.log(`@hey-api/openapi-ts: code ${code.length} digits, balance ${mine.data.balance}`);
