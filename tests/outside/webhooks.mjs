// Deliveries on standard input, verified by npm's standardwebhooks.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(`${process.env.OUTSIDE_NODE}/`);
const { Webhook } = require("standardwebhooks");
const cases = JSON.parse(readFileSync(0, "utf8"));
for (const { secret, headers, body } of cases) {
  new Webhook(secret).verify(body, headers);
  let refused = false;
  try {
    new Webhook(secret).verify(`${body} `, headers);
  } catch {
    refused = true;
  }
  if (!refused) throw new Error("a changed body was accepted");
}
console.log(`npm standardwebhooks accepted ${cases.length}`);
