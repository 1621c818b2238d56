// Opens /docs/ and looks at it.
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";

const require = createRequire(`${process.env.OUTSIDE_NODE}/`);
const { chromium } = require("playwright-core");
const [url, picture] = process.argv.slice(2);
const browser = await chromium.launchPersistentContext(mkdtempSync(join(tmpdir(), "docs-")), {
  executablePath: "/usr/bin/chromium",
  headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const page = await browser.newPage();
const wrong = [];
page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
page.on("pageerror", (error) => wrong.push(String(error)));
page.on("request", (request) => !request.url().startsWith(url) && !request.url().startsWith("data:") && wrong.push(`asked ${request.url()}`));
await page.goto(`${url}/docs/`);
await page.waitForSelector(".opblock-summary-path");
const calls = await page.locator(".opblock").count();
await page.locator(".opblock-summary-control").first().click();
await page.waitForSelector(".opblock-body");
await page.setViewportSize({ width: 1280, height: 1600 });
await page.screenshot({ path: picture });
await browser.close();
if (wrong.length || calls < 25) throw new Error(`${calls} calls; ${wrong.join("; ")}`);
console.log(`${calls} calls shown`);
