// The story of an agent, told by the official TypeScript client.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(`${process.env.OUTSIDE_NODE}/`);
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { StdioClientTransport } = require("@modelcontextprotocol/sdk/client/stdio.js");
const { StreamableHTTPClientTransport } = require("@modelcontextprotocol/sdk/client/streamableHttp.js");
const [url, keys] = process.argv.slice(2);
const [first, second] = keys.split(",");
const launcher = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "mcp", "server.js");

function check(condition, what) {
  if (!condition) throw new Error(what);
}

async function story(transport, name) {
  const client = new Client({ name: "judge", version: "1" });
  await client.connect(transport);
  // Listing first: from here on the client validates every result against its tool's output schema.
  const { tools } = await client.listTools();
  check(tools.length === 10 && tools.every((tool) => tool.outputSchema && tool.annotations), `${name}: tools`);
  const call = (tool, args = {}) => client.callTool({ name: tool, arguments: args });
  const account = await call("sms_account");
  check(account.structuredContent.balance === 20, `${name}: funded`);
  const verified = await call("sms_verify", { platform: "google", country: "US", idempotency_key: "story" });
  check(/^\d{6}$/.test(verified.structuredContent.code), `${name}: code`);
  const order = await call("sms_order", { platform: "steam" });
  const checked = await call("sms_check_order", { order_id: order.structuredContent.order_id, wait: 30 });
  check(checked.structuredContent.status === "completed", `${name}: completed`);
  const late = await call("sms_cancel_order", { order_id: order.structuredContent.order_id });
  check(late.isError && late.structuredContent.error_code === "INVALID_REQUEST", `${name}: the code came first`);
  const spoken = await call("sms_agent_order", { query: "un numéro Discord français" });
  check(spoken.structuredContent.country === "FR", `${name}: understood`);
  const all = await Promise.all(["sms_list_services", "sms_availability", "sms_account"].map((tool) => call(tool)));
  check(all.every((result) => !result.isError), `${name}: read`);
  const unknown = await call("sms_order", { platform: "myspace" });
  check(unknown.isError && unknown.structuredContent.error_code === "UNKNOWN_PLATFORM", `${name}: refused`);
  check((await client.listResources()).resources.length === 2 && (await client.listPrompts()).prompts.length === 1, `${name}: resources, prompts`);
  await client.close();
  console.log(`TypeScript client over ${name}: the whole story`);
}

await story(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit: { headers: { Authorization: `Bearer ${first}` } } }), "HTTP");
await story(
  new StdioClientTransport({ command: "node", args: [launcher], env: { ...process.env, TELENUMERUS_URL: url, TELENUMERUS_API_KEY: second } }),
  "stdio",
);
