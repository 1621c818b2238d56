// Streams followed by npm's eventsource, which reconnects by itself; every connection is cut after its first message.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(`${process.env.OUTSIDE_NODE}/`);
const { EventSource } = require("eventsource");
const { key, streams } = JSON.parse(readFileSync(0, "utf8"));
const terminal = new Set(["completed", "cancelled", "expired", "failed"]);
let cuts = 0;

function follow(url) {
  return new Promise((resolve, reject) => {
    const seen = [];
    const open = () => {
      // The library sends Last-Event-ID on its own reconnections; behind a cut of ours it is said here.
      const headers = { Authorization: `Bearer ${key}` };
      if (seen.length) headers["Last-Event-ID"] = seen[seen.length - 1][0];
      const source = new EventSource(url, {
        fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, ...headers } }),
      });
      source.onmessage = (message) => {
        seen.push([message.lastEventId, JSON.parse(message.data).event]);
        source.close();
        cuts += 1;
        if (terminal.has(seen[seen.length - 1][1])) resolve(seen);
        else open();
      };
      source.onerror = (error) => {
        if (error.code && error.code !== 200) {
          source.close();
          reject(new Error(`${url}: ${error.message}`));
        }
      };
    };
    open();
  });
}

const told = await Promise.all(streams.map(async (url) => [url, await follow(url)]));
console.log(JSON.stringify({ cuts, streams: Object.fromEntries(told) }));
