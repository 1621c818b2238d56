// One telecom's official SDK against its stand-in: search, buy, list, and give back.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.env.OUTSIDE_NODE, "package.json"));
const [telecom, url] = process.argv.slice(2);
const USER = "AC00000000000000000000000000000001";
const SECRET = "0123456789abcdef0123456789abcdef";
const FIRST = "+12025550101";

const walks = {
  async twilio() {
    const client = require("twilio")(USER, SECRET);
    client.api.baseUrl = url;
    client.pricing.baseUrl = url;
    const offers = await client.availablePhoneNumbers("US").local.list({ smsEnabled: true, limit: 2 });
    assert.deepEqual(offers.map((offer) => offer.phoneNumber), [FIRST, "+12025550102"]);
    assert.equal(offers[0].capabilities.SMS ?? offers[0].capabilities.sms, true);
    const prices = await client.pricing.v1.phoneNumbers.countries("US").fetch();
    assert.equal(prices.priceUnit, "USD");
    const prices_of = prices.phoneNumberPrices.map((price) => price.current_price ?? price.currentPrice);
    assert.deepEqual(prices_of.map(String), ["1.15"]);
    for (const phoneNumber of [FIRST, "+12025550102", "+12025550103"]) {
      const bought = await client.incomingPhoneNumbers.create({ phoneNumber, smsUrl: "https://sms.example.com/inbound/v1/twilio" });
      assert.equal(bought.phoneNumber, phoneNumber);
    }
    await assert.rejects(client.incomingPhoneNumbers.create({ phoneNumber: FIRST }), (error) => error.status === 400 && error.code === 21422);
    const owned = await client.incomingPhoneNumbers.list();
    assert.deepEqual(owned.map((number) => number.phoneNumber), [FIRST, "+12025550102", "+12025550103"]);
    assert.equal(await client.incomingPhoneNumbers(owned[0].sid).remove(), true);
    assert.equal((await client.incomingPhoneNumbers.list()).length, 2);
    const stranger = require("twilio")(USER, "wrong");
    stranger.api.baseUrl = url;
    await assert.rejects(stranger.incomingPhoneNumbers.list(), (error) => error.status === 401);
  },

  async telnyx() {
    const { default: Telnyx } = require("telnyx");
    const client = new Telnyx({ apiKey: SECRET, baseURL: `${url}/v2`, maxRetries: 0 });
    const offers = await client.availablePhoneNumbers.list({ filter: { country_code: "US", features: ["sms"], limit: 2 } });
    assert.deepEqual(offers.data.map((offer) => offer.phone_number), [FIRST, "+12025550102"]);
    assert.equal(offers.data[0].cost_information.monthly_cost, "1.00000");
    for (const phone_number of [FIRST, "+12025550102", "+12025550103"]) {
      const order = await client.numberOrders.create({ phone_numbers: [{ phone_number }] });
      assert.equal(order.data.status, "success");
    }
    await assert.rejects(client.numberOrders.create({ phone_numbers: [{ phone_number: FIRST }] }), (error) => error.status === 422);
    const owned = [];
    for await (const number of client.phoneNumbers.list()) owned.push(number);
    assert.deepEqual(owned.map((number) => number.phone_number), [FIRST, "+12025550102", "+12025550103"]);
    await client.phoneNumbers.delete(owned[0].id);
    await assert.rejects(client.phoneNumbers.delete(owned[0].id), (error) => error.status === 404);
    const stranger = new Telnyx({ apiKey: "wrong", baseURL: `${url}/v2`, maxRetries: 0 });
    await assert.rejects(stranger.phoneNumbers.list(), (error) => error.status === 401);
  },

  async vonage() {
    const { Vonage } = require("@vonage/server-sdk");
    const { numbers } = new Vonage({ apiKey: USER, apiSecret: SECRET }, { restHost: url });
    const offers = await numbers.getAvailableNumbers({ country: "GB", features: ["SMS"], size: 2 });
    assert.deepEqual(offers.numbers.map((offer) => offer.msisdn), ["447700900101", "447700900102"]);
    assert.equal(offers.numbers[0].cost, "1.25");
    const bought = await numbers.buyNumber({ country: "GB", msisdn: "447700900101" });
    assert.equal(bought.errorCode, "200");
    await assert.rejects(numbers.buyNumber({ country: "GB", msisdn: "447700900101" }));
    const owned = await numbers.getOwnedNumbers();
    assert.deepEqual(owned.numbers.map((number) => [number.country, number.msisdn]), [["GB", "447700900101"]]);
    const cancelled = await numbers.cancelNumber({ country: "GB", msisdn: "447700900101" });
    assert.equal(cancelled.errorCode, "200");
    assert.equal((await numbers.getOwnedNumbers()).numbers?.length ?? 0, 0);
    const { numbers: strangers } = new Vonage({ apiKey: USER, apiSecret: "wrong" }, { restHost: url });
    await assert.rejects(strangers.getOwnedNumbers());
  },
};

await walks[telecom]();
console.log(`${telecom}: searched, bought, listed and given back by its SDK`);
