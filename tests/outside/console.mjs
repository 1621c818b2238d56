// Drives the console: owner's pages, operator's pages, both in light and dark. What it needs done outside of a browser it asks console.py for.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import assert from "node:assert/strict";

const require = createRequire(`${process.env.OUTSIDE_NODE}/`);
const { chromium } = require("playwright-core");
const axe = require.resolve("axe-core/axe.min.js");
const { url, admin, tokens, token, pictures } = JSON.parse(process.argv[2]);

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const outside = async (asked) => {
  process.stdout.write(`@${JSON.stringify(asked)}\n`);
  return JSON.parse((await lines.next()).value);
};
const call = (method, path, key, body) => outside({ do: "call", method, path, key, body });

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

const wrong = [];
let away = false;
const watched = async (options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.on("page", (page) => {
    page.on("console", (message) => {
      // While the service is away the browser says so itself.
      if (message.type() === "error" && !(away && /ERR_|Failed to load resource|htmx:sse:error/.test(message.text()))) wrong.push(`${page.url()}: ${message.text()}`);
      if (/Content Security Policy|Content-Security-Policy/.test(message.text())) wrong.push(`policy: ${message.text()}`);
    });
    page.on("pageerror", (error) => wrong.push(`${page.url()}: ${error}`));
    page.on("dialog", (dialog) => (wrong.push(`dialog ${dialog.message()}`), dialog.dismiss()));
    page.on("request", (request) => {
      if (![url, admin, "data:"].some((ours) => request.url().startsWith(ours))) wrong.push(`asked ${request.url()}`);
    });
  });
  return context;
};
const said = (what) => console.log(`- ${what}`);

// A fresh binary: the start page, an account, a simulated deposit, a code without reloading, with the mouse.
const owner = await watched();
const page = await owner.newPage();
const started = Date.now();
await page.goto(url);
await page.getByRole("button", { name: "Create an account" }).click();
const key = (await page.locator("#key").textContent()).trim();
assert.match(key, /^tn_/);
await page.getByRole("link", { name: "Continue" }).click();
await page.getByRole("link", { name: "Deposits" }).click();
await page.getByRole("button", { name: "Make a simulated deposit" }).click();
await page.waitForURL(/said=/);
await page.waitForLoadState("load");
let loads = 0;
page.on("load", () => (loads += 1));
await page.locator(".tile b", { hasText: "$10.00" }).waitFor({ timeout: 20_000 });
assert.equal(loads, 0, "the balance came without a reload");
await page.getByRole("link", { name: "Overview" }).click();
await page.getByRole("button", { name: "Order a number" }).click();
await page.locator("#code").waitFor({ timeout: 20_000 });
const took = (Date.now() - started) / 1000;
assert.ok(took < 30, `${took} s from the start page to the code`);
said(`from the start page to the code in ${took.toFixed(1)} s, with the mouse`);

// The same with the keyboard alone.
const tabTo = async (page, wanted) => {
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const at = document.activeElement;
      const style = at ? getComputedStyle(at) : null;
      return { name: (at?.textContent || at?.getAttribute("name") || "").trim(), outlined: style ? style.outlineStyle !== "none" : false };
    });
    if (at.name.startsWith(wanted)) {
      assert.ok(at.outlined, `${wanted} shows that it has the focus`);
      return;
    }
  }
  assert.fail(`${wanted} is not to be reached with the Tab key`);
};
const byKeyboard = await (await watched()).newPage();
const press = async (wanted) => {
  await tabTo(byKeyboard, wanted);
  await Promise.all([byKeyboard.waitForEvent("framenavigated"), byKeyboard.keyboard.press("Enter")]);
  await byKeyboard.waitForLoadState();
};
await byKeyboard.goto(url);
for (const wanted of ["Create an account", "Continue", "Deposits", "Make a simulated"]) {
  await press(wanted);
  await byKeyboard.waitForTimeout(150);
}
await byKeyboard.locator(".tile b", { hasText: "$10.00" }).waitFor({ timeout: 20_000 });
await byKeyboard.goto(`${url}/account`);
await press("Order a number");
await byKeyboard.locator("#code").waitFor({ timeout: 20_000 });
said("the same with the keyboard alone");

// The code is on the open page within a second of its message; what strangers write is text.
const order = async (platform = "telegram") => (await call("POST", "/api/v1/order", key, { platform, country: "GB" })).body;
const awaited = await order();
await page.goto(`${url}/account/orders/${awaited.order_id}`);
await page.getByText("appears here by itself").waitFor();
const sent = Date.now();
await outside({ do: "sms", to: awaited.phone, from: "Telegram", text: "Telegram code 48291" });
await page.locator("#code", { hasText: "48291" }).waitFor({ timeout: 10_000 });
const shown = Date.now() - sent;
assert.ok(shown < 1_000, `${shown} ms from the message to the page`);
said(`the code stands on the open page ${shown} ms after its message was sent`);
const hostile = `<script>alert(1)</script><img src=x onerror=alert(2)> \u202eالرمز شخصي\u202c `;
const long = hostile + "x".repeat(1_600 - hostile.length);
await outside({ do: "sms", to: awaited.phone, from: "<b>bold</b>", text: long });
await page.locator(".message p", { hasText: "xxxxxxxx" }).waitFor({ timeout: 10_000 });
assert.equal(await page.locator(".message p").last().textContent(), long, "the text is the text");
assert.equal(await page.locator(".message script, .message img, .message b").count(), 0);
said("a script, a direction of reading and 1 600 characters are text");

// Operators: a session of the token, and nothing secret before a reveal.
const operator = await watched();
const desk = await operator.newPage();
await desk.goto(`${admin}/console/orders`);
assert.match(desk.url(), /\/console\/login/);
await desk.getByLabel("Admin token").fill(tokens.ada);
await desk.getByRole("button", { name: "Log in" }).click();
await desk.waitForURL(`${admin}/console/orders`);
const cookies = (await operator.cookies()).filter((cookie) => cookie.name === "telenumerus_console");
assert.deepEqual(cookies.map((cookie) => [cookie.httpOnly, cookie.sameSite, cookie.path]), [[true, "Strict", "/console"]]);
const state = (await call("GET", `/api/v1/order/${awaited.order_id}`, key)).body;
const sources = async () => [await desk.content(), await (await operator.request.get(desk.url())).text()].join("\n");
for (const path of ["/console/orders", `/console/orders/${awaited.order_id}`, "/console/audit", "/console/numbers", "/console/messages", "/console"]) {
  await desk.goto(admin + path);
  await desk.waitForTimeout(400);
  const source = await sources();
  for (const secret of [state.phone.slice(1), "48291", "Telegram code", "xxxxxxxx", ...Object.values(tokens), token]) {
    assert.ok(!source.includes(secret), `${path} shows ${secret} before it is revealed`);
  }
}
said("nothing secret stands in the pages' source before a reveal");

// The slider at k is what ?as_of=k says.
await desk.goto(`${admin}/console/orders/${awaited.order_id}`);
const slider = desk.getByRole("slider");
const last = Number(await slider.getAttribute("max"));
for (let event = last - 1; event >= 1; event -= 1) {
  await slider.focus();
  await desk.keyboard.press("ArrowLeft");
  await desk.getByRole("heading", { name: `As of event ${event} of ${last}` }).waitFor({ timeout: 5_000 });
  const was = (await call("GET", `/api/v1/order/${awaited.order_id}?as_of=${event}`, key)).body;
  assert.equal(await desk.locator("dd .badge").first().textContent(), was.status);
  assert.equal(await desk.locator("ol.timeline > li").count(), event);
}
said(`the slider agrees with ?as_of at ${last - 1} events`);

// A reveal needs a reason, and is a fact with the operator's name.
await desk.goto(`${admin}/console/orders/${awaited.order_id}`);
await desk.getByText("Reveal numbers, texts and codes").click();
await desk.getByLabel("Reason, for the log").fill("ticket 7");
await desk.getByRole("button", { name: "Reveal" }).click();
await desk.getByText("48291").first().waitFor();
assert.ok((await desk.content()).includes(state.phone));
assert.equal(await desk.locator(".message script, .message img").count(), 0);
const { events } = await outside({ do: "events" });
const reveals = events.filter((event) => event.event === "ContentRevealed");
assert.deepEqual(reveals.map((event) => [event.actor, event.data.reason, event.data.subject]), [["operator:ada", "ticket 7", awaited.order_id]]);
said("a reveal is an event with the operator's name and reason");

// Forms without a session, from elsewhere, after logout, of a viewer: 403, and no event.
const before = events.length;
const form = { reason: "no", amount: "1" };
const account = (await call("GET", "/api/v1/account", key)).body.account_id;
const credit = `${admin}/console/accounts/${account}/credit`;
const post = (context, to, origin) => context.request.post(to, { form, headers: origin ? { origin } : {}, maxRedirects: 0 });
const refused = async (context, to, origin) => assert.equal((await post(context, to, origin)).status(), 403, `${to} ${origin}`);
await refused(await watched(), credit, admin);
await refused(operator, credit, "https://evil.example");
await refused(operator, credit, "null");
await refused(operator, credit, undefined);
await refused(await watched(), `${url}/account/orders`, url);
await refused(owner, `${url}/account/orders`, admin);
const viewer = await watched();
const looking = await viewer.newPage();
await looking.goto(`${admin}/console/login`);
await looking.getByLabel("Admin token").fill(tokens.vic);
await looking.getByRole("button", { name: "Log in" }).click();
await looking.getByText("viewer").first().waitFor();
await refused(viewer, credit, admin);
const kept = (await viewer.cookies()).find((cookie) => cookie.name === "telenumerus_console");
await looking.getByRole("button", { name: "Log out" }).click();
await looking.waitForURL(/login/);
await viewer.addCookies([kept]);
await refused(viewer, credit, admin);
assert.equal((await outside({ do: "events" })).events.length, before, "nothing was recorded");
for (const path of ["/console", "/console/orders", "/admin/v1/accounts", "/metrics"]) {
  assert.equal((await owner.request.get(url + path)).status(), 404, `${path} is not on the public listener`);
}
said("forms without a session, from elsewhere, after logout and of viewers are refused, and nothing is recorded; operators' pages are not on the public port");

// The sums of the overview are those of the audit, and what a test account has is in neither.
const test = (await call("POST", "/api/v1/keys", key, { name: "ci", mode: "test" })).body.api_key;
await call("POST", "/api/v1/deposit/verify", test, { tx_hash: "cd".repeat(32) });
while ((await call("GET", "/api/v1/account", test)).body.balance !== 10) await desk.waitForTimeout(200);
await desk.goto(`${admin}/console`);
await desk.waitForTimeout(1_500);
const tile = async (name) => desk.locator(".tile", { hasText: name }).first().textContent();
const dollars = (text) => Number(text.replace(/[$,]/g, ""));
const [, held, balance] = (await tile("Held now")).match(/Held now\$([\d.,]+)balances \$([\d.,]+)/);
const [, audited, auditedHeld] = (await outside({ do: "verify" })).said.match(/balances \$([\d.]+), held \$([\d.]+)/);
assert.deepEqual([dollars(balance), dollars(held)], [Number(audited), Number(auditedHeld)]);
said(`the overview's sums are the audit's: balances ${audited}, held ${auditedHeld}`);

// Charts say their values under the pointer.
await desk.goto(`${admin}/console/usage`);
const chart = desk.locator(".chart", { has: desk.locator(".u-over") }).first();
await chart.locator(".u-over").waitFor({ timeout: 10_000 });
const area = await chart.locator(".u-over").boundingBox();
await desk.mouse.move(area.x + area.width - 2, area.y + area.height / 2);
await desk.waitForTimeout(200);
const values = await chart.locator(".u-legend .u-value").allTextContents();
assert.match(values[0], /^20\d\d-\d\d-\d\d \d\d:00$/, "the hour under the pointer");
assert.ok(values.slice(1).every((value) => /\d/.test(value)), `values under the pointer: ${values}`);
said(`charts say their values under the pointer: ${values.join(", ")}`);

// A kill in between: both pages go on by themselves, and no row stands there twice.
// Each page is open once its stream is.
const open = async (where, address) => {
  const live = where.waitForResponse((response) => response.url().includes("/live/"));
  await where.goto(address);
  await live;
};
await open(desk, `${admin}/console/orders`);
await open(page, `${url}/account/orders`);
away = true;
await outside({ do: "kill" });
const fresh = await order("google");
const rows = (page) => page.locator("tbody tr td:first-child a").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
for (const [where, root] of [[desk, "/console"], [page, "/account"]]) {
  await where.locator(`a[href="${root}/orders/${fresh.order_id}"]`).waitFor({ timeout: 20_000 });
  const there = await rows(where);
  assert.equal(new Set(there).size, there.length, "no row twice");
}
away = false;
said("after kill -9 the open pages go on, and no row stands there twice");

// Every page: nothing serious by axe-core, nothing beyond 360 pixels, readable without scripts; in light and dark.
await desk.goto(`${admin}/console/accounts/${account}`);
await desk.getByText("Credit or debit").click();
await desk.locator("form[action$='/credit'] input[name=amount]").fill("12.50");
await desk.locator("form[action$='/credit'] input[name=reason]").fill("invoice 17");
await desk.getByRole("button", { name: "Credit", exact: true }).click();
await desk.getByText("$12.50").first().waitFor();
await call("PUT", "/api/v1/webhook", key, { url: "https://127.0.0.1:9/hook" });
await call("POST", "/api/v1/webhook/test", key);
await outside({ do: "sms", to: "+447700900119", from: "Nobody", text: "late" });
for (let more = 0; more < 8; more += 1) await call("POST", "/api/v1/order", key, { platform: ["google", "telegram", "whatsapp", "discord"][more % 4], country: "US" });
const stray = (await outside({ do: "events" })).events.find((event) => event.event === "SmsKept")?.position;
// An invite's code is shown once; a policy that is tried only is applied from its page.
await desk.goto(`${admin}/console/newcomers`);
await desk.getByLabel("For whom").fill("the testers of Ada");
await desk.getByRole("button", { name: "Make" }).click();
const invite = await desk.locator("#fresh").textContent();
assert.match(invite, /^tni_\w{40,}$/);
await desk.getByRole("link", { name: "Back to the newcomers" }).click();
await desk.getByText("the testers of Ada").waitFor();
assert.equal((await sources()).includes(invite), false);
await desk.goto(`${admin}/console/policy`);
const rule = { id: "telegram_gb", platforms: ["telegram"], countries: ["GB"], verdict: "review", reason: "many complaints" };
await desk.getByLabel("Policy, as JSON").fill(JSON.stringify({ mode: "shadow", rules: [rule], limits: [{ limit: "orders_per_platform_per_day", allowed: 20, mode: "shadow" }] }));
await desk.getByLabel("Basis, to apply it").fill("board of 12 May");
await desk.getByRole("button", { name: "Apply" }).click();
await desk.getByRole("cell", { name: "many complaints" }).waitFor();
await call("POST", "/api/v1/order", key, { platform: "telegram", country: "GB" });
said("an invite and a policy from their pages");

const places = {
  owner: {
    context: owner,
    pages: { start: "/", login: "/account/login", overview: "/account", orders: "/account/orders", order: `/account/orders/${awaited.order_id}`, deposits: "/account/deposits",
      ledger: "/account/ledger", usage: "/account/usage", keys: "/account/keys", webhook: "/account/webhook", delivery: "/account/webhook/1", connect: "/account/connect", missing: "/nothing" },
    root: url,
  },
  operator: {
    context: operator,
    pages: { login: "/console/login", overview: "/console", orders: "/console/orders", order: `/console/orders/${awaited.order_id}`, accounts: "/console/accounts",
      account: `/console/accounts/${account}`, numbers: "/console/numbers", messages: "/console/messages", message: stray ? `/console/messages/${stray}` : "/console/messages",
      deposits: "/console/deposits", webhooks: "/console/webhooks", delivery: `/console/webhooks/${account}/1`, usage: "/console/usage", newcomers: "/console/newcomers", policy: "/console/policy", audit: "/console/audit" },
    root: admin,
  },
};
if (pictures) mkdirSync(pictures, { recursive: true });
const found = [];
for (const [kind, { context, pages, root }] of Object.entries(places)) {
  const state = await context.storageState();
  for (const scheme of ["light", "dark"]) {
    const themed = await watched({ colorScheme: scheme, storageState: state, viewport: { width: 1280, height: 800 } });
    const themedPage = await themed.newPage();
    for (const [name, path] of Object.entries(pages)) {
      away = name === "missing";
      await themedPage.goto(root + path);
      await themedPage.waitForTimeout(name === "usage" ? 700 : 250);
      if (pictures) await themedPage.screenshot({ path: join(pictures, `${kind}-${name}-${scheme}.png`) });
      // The page's own policy would refuse axe-core's script, and rightly: it is switched off for this alone.
      const client = await themed.newCDPSession(themedPage);
      await client.send("Page.setBypassCSP", { enabled: true });
      await themedPage.reload();
      await themedPage.waitForTimeout(name === "usage" ? 700 : 250);
      await themedPage.addScriptTag({ path: axe });
      const result = await themedPage.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
      await client.send("Page.setBypassCSP", { enabled: false });
      await client.detach();
      for (const violation of result.violations.filter(({ impact }) => ["serious", "critical"].includes(impact))) {
        found.push(`${kind} ${name} ${scheme}: ${violation.id}: ${violation.nodes.slice(0, 2).map((node) => node.html.slice(0, 140)).join(" | ")}`);
      }
      away = false;
    }
    await themed.close();
  }
  const narrow = await watched({ storageState: state, viewport: { width: 360, height: 720 } });
  const narrowPage = await narrow.newPage();
  const plain = await watched({ storageState: state, javaScriptEnabled: false });
  const plainPage = await plain.newPage();
  for (const [name, path] of Object.entries(pages)) {
    away = name === "missing";
    await narrowPage.goto(root + path);
    await narrowPage.waitForTimeout(150);
    const width = await narrowPage.evaluate(() => document.scrollingElement.scrollWidth);
    if (width > 360) found.push(`${kind} ${name}: ${width} pixels wide`);
    if (pictures && name === "order") await narrowPage.screenshot({ path: join(pictures, `${kind}-narrow.png`) });
    await plainPage.goto(root + path);
    if (!(await plainPage.locator("h1").isVisible())) found.push(`${kind} ${name}: nothing without scripts`);
    away = false;
  }
  await plainPage.goto(`${root}${pages.orders}`);
  if ((await plainPage.locator("tbody tr").count()) < 2) found.push(`${kind}: no orders without scripts`);
  await narrow.close();
  await plain.close();
}
assert.deepEqual(found, []);
said("axe-core finds nothing serious on any page in light and dark; every page fits 360 pixels and is readable without scripts");

await browser.close();
assert.deepEqual(wrong, [], "no error, no violation of the policy, nobody else asked");
said("no error, no violation of the policy, no foreign host");

// The line to the service would keep this open.
process.exit(0);
