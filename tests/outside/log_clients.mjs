// One of the official Node clients on the log's endpoint: what it read, as JSON; the Python script compares it with what the log holds.
import { createHash } from "node:crypto";
import { createRequire } from "node:module";

const { url, client: name, events, stream } = JSON.parse(await new Promise((done) => {
  let text = "";
  process.stdin.on("data", (chunk) => (text += chunk)).on("end", () => done(text));
}));
const lib = createRequire(`${process.env.OUTSIDE_NODE}/package.json`)(name);
const { START, END, FORWARDS, BACKWARDS, streamNameFilter, eventTypeFilter, jsonEvent, AccessDeniedError, StreamNotFoundError } = lib;
const Client = lib.KurrentDBClient ?? lib.EventStoreDBClient;
const client = Client.connectionString([url]);

const key = (event) => `${event.position?.commit ?? ""}|${event.id}|${event.type}|${event.streamId}|${event.revision}`;

class Sequence {
  hash = createHash("sha256");
  count = 0;
  add(event) {
    this.hash.update(key({ ...event, position: undefined }) + "\n");
    this.count += 1;
  }
  end() {
    return { count: this.count, hash: this.hash.digest("hex") };
  }
}

async function read(messages) {
  const sequence = new Sequence();
  for await (const { event } of messages) if (event) sequence.add(event);
  return sequence.end();
}

// A subscription until it has caught up, with every checkpoint it was told.
async function caughtUp(subscription, wanted = Infinity) {
  const sequence = new Sequence();
  for await (const resolved of subscription) {
    sequence.add(resolved.event);
    if (sequence.count >= wanted) break;
  }
  await subscription.unsubscribe();
  return sequence.end();
}

const told = {};
const start = process.hrtime.bigint();
told.forwards = await read(client.readAll({ direction: FORWARDS, fromPosition: START, maxCount: events + 10 }));
told.eventsPerSecond = Math.round((told.forwards.count * 1e9) / Number(process.hrtime.bigint() - start));
told.backwards = await read(client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 2_000 }));
told.stream = await read(client.readStream(stream, { direction: FORWARDS, fromRevision: START }));
told.streamBackwards = await read(client.readStream(stream, { direction: BACKWARDS, fromRevision: END }));
told.streamFrom = await read(client.readStream(stream, { direction: FORWARDS, fromRevision: 100n, maxCount: 50 }));

try {
  await read(client.readStream("account-nobody"));
  told.missing = "read";
} catch (error) {
  told.missing = error instanceof StreamNotFoundError ? "not found" : String(error);
}

// Filters: by prefix and by pattern; each checkpoint is a place from which the rest comes without gap or repeat.
const filter = (checkpoints) => streamNameFilter({ prefixes: [stream], checkpointInterval: 64, checkpointReached: (_, position) => checkpoints.push(position) });
const checkpoints = [];
told.filtered = await caughtUp(client.subscribeToAll({ fromPosition: START, filter: filter(checkpoints) }), told.stream.count);
const pattern = eventTypeFilter({ regex: "^Hold(Captured|Released)$", checkpointInterval: 1 });
told.pattern = { count: 0 };
for await (const { event } of client.subscribeToAll({ fromPosition: START, filter: pattern })) {
  if (!/^Hold(Captured|Released)$/.test(event.type)) throw new Error(`${event.type} passed the filter`);
  told.pattern.count += 1;
  if (told.pattern.count === 500) break;
}
told.checkpoints = checkpoints.length;
told.resumed = [];
for (const from of checkpoints) {
  const subscription = client.subscribeToAll({ fromPosition: from, filter: filter([]) });
  // Behind the stream's last event nothing of it comes any more: only those before it are resumed to an event.
  const next = await Promise.race([subscription.next?.() ?? subscription[Symbol.asyncIterator]().next(), new Promise((done) => setTimeout(done, 150))]);
  const event = next?.value?.event;
  told.resumed.push([Number(from.commit), event ? Number(event.revision) : null]);
  await subscription.unsubscribe().catch(() => {});
}

// Catch up, then live: the Python script is told, makes events, and says how many there are.
const live = client.subscribeToAll({ fromPosition: END });
live.once("confirmation", () => console.log("tailing"));
const tail = [];
for await (const { event } of live) {
  tail.push([Number(event.position?.commit ?? 0), event.type]);
  if (event.type === "OrderNumberAssigned") break;
}
await live.unsubscribe();
told.tail = tail;

async function refused(write) {
  try {
    await write();
    return "written";
  } catch (error) {
    return error instanceof AccessDeniedError ? "access denied" : `${error.constructor.name}: ${error.message}`;
  }
}
const event = () => jsonEvent({ type: "judge", data: { a: 1 } });
told.refused = [
  await refused(() => client.appendToStream("judge", event())),
  await refused(() => client.appendToStream("judge", [event(), event()])),
  await refused(() => client.deleteStream("judge")),
  await refused(() => client.tombstoneStream("judge")),
];
await client.dispose();
console.log(JSON.stringify(told));
process.exit(0);
