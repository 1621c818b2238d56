// Every file of the collection through Bruno's own parser; each call of the document stands in it once.
import { createRequire } from "node:module";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const require = createRequire(`${process.env.OUTSIDE_NODE}/`);
const { bruToJsonV2, collectionBruToJson, bruToEnvJsonV2 } = require("@usebruno/lang");
const [folder, url] = process.argv.slice(2);
const calls = new Set();
for (const path of readdirSync(folder, { recursive: true })) {
  if (!path.endsWith(".bru")) continue;
  const text = readFileSync(join(folder, path), "utf8");
  if (path.startsWith("environments")) bruToEnvJsonV2(text);
  else if (path.endsWith("collection.bru") || path.endsWith("folder.bru")) collectionBruToJson(text);
  else {
    const { http, body } = bruToJsonV2(text);
    if (body?.json) JSON.parse(body.json);
    calls.add(`${http.method} ${http.url.replace("{{url}}", "").replace(/:(\w+)/g, "{$1}")}`);
  }
}
const document = await (await fetch(`${url}/openapi.json`)).json();
const wanted = Object.entries(document.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`));
const missing = wanted.filter((call) => !calls.has(call));
if (missing.length || calls.size !== wanted.length) throw new Error(`not in the collection: ${missing}`);
console.log(`Bruno reads ${calls.size} calls`);
