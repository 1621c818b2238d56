// How calls are made: keys, retries, waiting for the code, and the stream of an order.

import { randomUUID } from "node:crypto";
import { Calls, type CallOptions, type Sent } from "./calls.js";
import { events } from "./events.js";
import type { Error as ErrorObject, HowFar, Order, StreamMessage } from "./schema.js";

const ENDED = ["completed", "cancelled", "expired", "failed"];
/** The service lets a long poll wait this long at most. */
const LONGEST_WAIT_SECONDS = 55;
/** Streams carry a heartbeat every 15 seconds. */
const SILENCE_SECONDS = 45;
const LONGEST_PAUSE_SECONDS = 30;

/** The service, or something before it, refused a call. */
export class CallFailed extends Error {
  override name = "CallFailed";
  readonly errorCode: ErrorObject["error_code"] | undefined;
  readonly retryable: boolean;
  readonly retryAfterSeconds: number;
  readonly detail: unknown;
  readonly requestId: string | undefined;

  constructor(
    readonly status: number,
    readonly error: Partial<ErrorObject>,
    readonly idempotencyKey?: string,
  ) {
    super(`${error.error_code ?? status}: ${error.error ?? "no reason given"}`);
    this.errorCode = error.error_code;
    // Whoever answers without the error object is a proxy: what it says of the service behind it passes.
    this.retryable = error.retryable ?? [502, 503, 504].includes(status);
    this.retryAfterSeconds = error.retry_after_seconds ?? 0;
    this.detail = error.detail;
    this.requestId = error.request_id;
  }
}

/** Whether the call took effect is not known; with its `idempotencyKey` it may be made again, where it has one. */
export class NoReply extends Error {
  override name = "NoReply";
  constructor(
    override readonly cause: unknown,
    readonly idempotencyKey?: string,
  ) {
    super(`no reply: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

/** The order ended without a code; what was held for it is back. */
export class NoCode extends Error {
  override name = "NoCode";
  constructor(readonly order: Order) {
    super(`${order.order_id} is ${order.status}`);
  }
}

/** The time for waiting is over; the order lives on. */
export class CodeNotYet extends NoCode {
  override name = "CodeNotYet";
}

export interface Settings {
  url?: string;
  apiKey?: string;
  /** Further attempts at most; 4 if absent. */
  retries?: number;
  /** Seconds between attempts in all; 60 if absent. */
  patienceSeconds?: number;
  /** For a reply, beyond what a call is asked to wait; 30 if absent. */
  timeoutSeconds?: number;
  fetch?: typeof fetch;
}

/** Calls of one service, with one key. */
export class Client extends Calls {
  readonly url: string;
  readonly #apiKey: string | undefined;
  readonly #retries: number;
  readonly #patienceSeconds: number;
  readonly #timeoutSeconds: number;
  readonly #fetch: typeof fetch;

  constructor(settings: Settings = {}) {
    super();
    this.url = (settings.url ?? "http://127.0.0.1:8080").replace(/\/+$/, "");
    this.#apiKey = settings.apiKey;
    this.#retries = settings.retries ?? 4;
    this.#patienceSeconds = settings.patienceSeconds ?? 60;
    this.#timeoutSeconds = settings.timeoutSeconds ?? 30;
    this.#fetch = settings.fetch ?? fetch;
  }

  /** The order once it has its code. NoCode if it ends without, CodeNotYet if the time is over. */
  async waitForCode(orderId: string, timeoutSeconds = 300, options: CallOptions = {}): Promise<Order> {
    const deadline = performance.now() + timeoutSeconds * 1000;
    for (;;) {
      const left = Math.floor((deadline - performance.now()) / 1000);
      const order = await this.getOrder(orderId, { wait: Math.max(1, Math.min(LONGEST_WAIT_SECONDS, left)) }, options);
      if (order.code !== null) return order;
      if (ENDED.includes(order.status)) throw new NoCode(order);
      if (performance.now() >= deadline) throw new CodeNotYet(order);
    }
  }

  /** The order's messages until it ends; a cut connection is resumed without gap or repeat. */
  async *stream(orderId: string, until?: HowFar, options: CallOptions = {}): AsyncGenerator<StreamMessage, void, undefined> {
    const path = `/api/v1/order/${encodeURIComponent(orderId)}/stream`;
    let lastId: string | undefined;
    for (let failures = 0; ; ) {
      const headers: Record<string, string> = { Accept: "text/event-stream" };
      if (lastId !== undefined) headers["Last-Event-ID"] = lastId;
      let pause = 0;
      let reason: unknown;
      const limit = new Limit(SILENCE_SECONDS, options.signal);
      try {
        const reply = await this.#open("GET", path, { query: { until } }, headers, limit.signal);
        if (reply.status === 204) return;
        for await (const event of events(reply, () => limit.renew())) {
          lastId = event.id ?? lastId;
          if (!event.data) continue;
          failures = 0;
          yield JSON.parse(event.data) as StreamMessage;
          limit.renew();
        }
        reason = new NoReply("the stream ends without saying so");
      } catch (failed) {
        options.signal?.throwIfAborted();
        if (failed instanceof CallFailed && !failed.retryable) throw failed;
        if (failed instanceof CallFailed) pause = failed.retryAfterSeconds;
        reason = failed;
      } finally {
        limit.end();
      }
      // The first time at once: most often the message before was the last one, or a proxy has closed what was long open.
      if (failures > this.#retries) throw reason;
      if (failures > 0) pause = Math.max(pause, backoffSeconds(failures - 1));
      failures += 1;
      await sleep(pause, options.signal);
    }
  }

  protected async call<T>(method: string, path: string, sent: Sent, options: CallOptions): Promise<T> {
    const own = (sent.body as { idempotency_key?: string | null } | undefined)?.idempotency_key ?? undefined;
    const key = sent.isKeyed ? (options.idempotencyKey ?? own ?? randomUUID()) : undefined;
    const headers: Record<string, string> = { Accept: "application/json" };
    if (key !== undefined) headers["Idempotency-Key"] = key;
    const timeout = this.#timeoutSeconds + askedToWait(path, sent);
    const mayRepeat = method !== "POST" || sent.isKeyed || sent.isRepeatable;
    for (let attempt = 0, waited = 0; ; attempt += 1) {
      try {
        return await this.#once<T>(method, path, sent, headers, timeout, options.signal, key);
      } catch (failed) {
        options.signal?.throwIfAborted();
        const mayPass = failed instanceof CallFailed ? failed.retryable : failed instanceof NoReply && mayRepeat;
        const pause = Math.max(failed instanceof CallFailed ? failed.retryAfterSeconds : 0, backoffSeconds(attempt));
        if (!mayPass || attempt >= this.#retries || waited + pause > this.#patienceSeconds) throw failed;
        waited += pause;
        await sleep(pause, options.signal);
      }
    }
  }

  async #once<T>(
    method: string, path: string, sent: Sent, headers: Record<string, string>, timeout: number, signal: AbortSignal | undefined, key: string | undefined,
  ): Promise<T> {
    const limit = new Limit(timeout, signal);
    try {
      const reply = await this.#open(method, path, sent, headers, limit.signal, key);
      const text = await reply.text();
      const isJson = (reply.headers.get("content-type") ?? "").startsWith("application/json");
      return (isJson ? JSON.parse(text) : text) as T;
    } catch (failed) {
      throw failed instanceof CallFailed ? failed : new NoReply(failed, key);
    } finally {
      limit.end();
    }
  }

  async #open(method: string, path: string, sent: Sent, headers: Record<string, string>, signal: AbortSignal, key?: string): Promise<Response> {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(sent.query ?? {})) {
      if (value !== undefined && value !== null) parameters.set(name, String(value));
    }
    const asked = parameters.toString();
    const all: Record<string, string> = { ...headers };
    if (this.#apiKey) all["Authorization"] = `Bearer ${this.#apiKey}`;
    if (sent.body) all["Content-Type"] = "application/json";
    // A key goes where it was told to go, nowhere else.
    const reply = await this.#fetch(this.url + path + (asked ? `?${asked}` : ""), {
      method, headers: all, signal, redirect: "manual", ...(sent.body ? { body: JSON.stringify(sent.body) } : {}),
    });
    if (reply.ok) return reply;
    throw new CallFailed(reply.status, errorObject(await reply.text(), reply.headers.get("retry-after")), key);
  }
}

/** What the service says of its refusal; of a proxy's, at least when to come again. */
function errorObject(text: string, retryAfter: string | null): Partial<ErrorObject> {
  try {
    const error: unknown = JSON.parse(text);
    if (typeof error === "object" && error !== null && "error_code" in error) return error as ErrorObject;
  } catch {
    // It is no JSON: it is a proxy's.
  }
  return retryAfter !== null && /^\d+$/.test(retryAfter) ? { retry_after_seconds: Number(retryAfter) } : {};
}

/** How long the service was asked to wait before it answers. */
function askedToWait(path: string, sent: Sent): number {
  const body = sent.body as { platform?: string; timeout_seconds?: number | null } | undefined;
  if (path.endsWith("/verify") && body?.platform !== undefined) return body.timeout_seconds ?? 120;
  return Number(sent.query?.["wait"] ?? 0);
}

/** Half a second, doubled each time, up to a quarter more or less: many clients do not come back together. */
function backoffSeconds(attempt: number): number {
  return Math.min(LONGEST_PAUSE_SECONDS, 0.5 * 2 ** attempt) * (0.75 + Math.random() / 2);
}

function sleep(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, seconds * 1000);
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted) stop();
  });
}

/** A signal that comes after so many seconds, or with the caller's own; Node 18 has no `AbortSignal.any`. */
class Limit {
  readonly #controller = new AbortController();
  readonly #stop = (): void => this.#controller.abort(this.outer?.reason);
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly seconds: number,
    private readonly outer?: AbortSignal,
  ) {
    outer?.addEventListener("abort", this.#stop, { once: true });
    if (outer?.aborted) this.#stop();
    this.renew();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  renew(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(new Error(`nothing in ${this.seconds} s`)), this.seconds * 1000);
  }

  /** Lets go of the connection, too, where a reader left in its middle. */
  end(): void {
    clearTimeout(this.#timer);
    this.outer?.removeEventListener("abort", this.#stop);
    this.#controller.abort();
  }
}
