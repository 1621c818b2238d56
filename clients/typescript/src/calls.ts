// Every call of the service. Written by clients/generate.py: change the service, not this file.

import type {
  Account,
  AccountExport,
  AccountRegistered,
  AgentReply,
  AgentRequest,
  ApiKeyCreated,
  ApiKeyRemoved,
  ApiKeyRequest,
  ApiKeys,
  Availability,
  BatchPlaced,
  BatchRequest,
  CancelRequest,
  CountryCode,
  Currency,
  CursorNumber,
  CursorText,
  DateOrTime,
  DeliveryStatus,
  Deposit,
  DepositAddresses,
  DepositList,
  Granularity,
  GroupBy,
  Health,
  HowFar,
  IdempotencyKey,
  KeyText,
  Ledger,
  Order,
  OrderCancelled,
  OrderFinished,
  OrderHistory,
  OrderList,
  OrderPlaced,
  OrderReported,
  OrderRequest,
  OrderStatus,
  PlatformName,
  PointInHistory,
  RedeliverRequest,
  Redelivered,
  RegisterRequest,
  RegistrationWanted,
  ReportRequest,
  ServiceList,
  Usage,
  Verified,
  VerifyDepositRequest,
  VerifyRequest,
  Webhook,
  WebhookDeliveries,
  WebhookRequest,
  WebhookSecret,
  WebhookTest,
} from "./schema.js";

export interface CallOptions {
  /** Ends the call, and the waiting between its attempts. */
  signal?: AbortSignal;
  /** In place of a fresh one, on calls that take one. */
  idempotencyKey?: string;
}

/** What a call sends. */
export interface Sent {
  body?: object;
  query?: Record<string, unknown>;
  isKeyed?: boolean;
  isRepeatable?: boolean;
}

/** A method for each call; how they are made is the client's. */
export abstract class Calls {
  protected abstract call<T>(method: string, path: string, sent: Sent, options: CallOptions): Promise<T>;

  /** Your balance, what is held, your tier and your orders in numbers; with `as_of`, as they were. */
  account(query: { as_of?: PointInHistory } = {}, options: CallOptions = {}): Promise<Account> {
    return this.call("GET", "/api/v1/account", { query }, options);
  }

  /**
   * Everything that is kept of you, oldest first: orders with their messages and codes, money, keys by their names,
   * webhooks. Hashes of keys, secrets, and what operators noted are not in it.
   */
  exportAccount(query: { limit?: number; cursor?: CursorNumber } = {}, options: CallOptions = {}): Promise<AccountExport> {
    return this.call("GET", "/api/v1/account/export", { query }, options);
  }

  /** Every movement of your money, newest first, each with the balance before and after it. */
  ledger(query: { limit?: number; cursor?: CursorText } = {}, options: CallOptions = {}): Promise<Ledger> {
    return this.call("GET", "/api/v1/account/ledger", { query }, options);
  }

  /**
   * Order in natural language: one number for one platform in at most one country. Questions, prices, status,
   * cancelling, denials, quantities, several platforms, and places that are not known or not supported: 422 with a
   * `reason` and the right call in `suggestions`, and no order.
   */
  agent(body: AgentRequest, options: CallOptions = {}): Promise<AgentReply> {
    return this.call("POST", "/api/v1/agent", { body, isKeyed: true }, options);
  }

  /** Success rates of the last 24 hours, stock and prices in one country. A rate is null under five ended orders. */
  availability(query: { country?: CountryCode; platform?: PlatformName } = {}, options: CallOptions = {}): Promise<Availability> {
    return this.call("GET", "/api/v1/availability", { query }, options);
  }

  /**
   * Place up to 20 orders at once. Those that cannot run yet wait as `queued`; each can be cancelled. An order that
   * cannot be accepted is refused alone.
   */
  batch(body: BatchRequest, options: CallOptions = {}): Promise<BatchPlaced> {
    return this.call("POST", "/api/v1/batch", { body, isKeyed: true }, options);
  }

  /**
   * Where to pay. With a key, the addresses are your own, and whatever is paid there is credited without a further
   * call.
   */
  depositAddresses(options: CallOptions = {}): Promise<DepositAddresses> {
    return this.call("GET", "/api/v1/deposit/addresses", {}, options);
  }

  /**
   * The address as a QR code (SVG), for a wallet's camera: a `bitcoin:` or `litecoin:` link, or the plain address of
   * USDT.
   */
  depositAddressQr(currency: Currency, options: CallOptions = {}): Promise<string> {
    return this.call("GET", `/api/v1/deposit/addresses/${encodeURIComponent(currency)}/qr`, {}, options);
  }

  /**
   * Say that you have paid. Asked again, it says how far the deposit has come: `pending`, `confirmed`, or
   * `rejected`.
   */
  verifyDeposit(body: VerifyDepositRequest, options: CallOptions = {}): Promise<Deposit> {
    return this.call("POST", "/api/v1/deposit/verify", { body, isKeyed: true }, options);
  }

  /**
   * What was paid to you and how far each payment has come, newest first. Nothing has to be claimed: payments to
   * your addresses are found.
   */
  listDeposits(query: { limit?: number; cursor?: CursorNumber } = {}, options: CallOptions = {}): Promise<DepositList> {
    return this.call("GET", "/api/v1/deposits", { query }, options);
  }

  /** How each part of the service is. Says nothing about accounts. */
  health(options: CallOptions = {}): Promise<Health> {
    return this.call("GET", "/api/v1/health", {}, options);
  }

  /**
   * What became of a call whose reply was lost: the orders that the key placed or cancelled, or the deposit it
   * claimed.
   */
  idempotencyKey(key: KeyText, options: CallOptions = {}): Promise<IdempotencyKey> {
    return this.call("GET", `/api/v1/idempotency/${encodeURIComponent(key)}`, {}, options);
  }

  /** The account's keys: names and when they were used, never the keys themselves. */
  listKeys(options: CallOptions = {}): Promise<ApiKeys> {
    return this.call("GET", "/api/v1/keys", {}, options);
  }

  /** Get a further key of this account. It is shown this once. */
  createKey(body: ApiKeyRequest, options: CallOptions = {}): Promise<ApiKeyCreated> {
    return this.call("POST", "/api/v1/keys", { body }, options);
  }

  /** Take a key away: from the next call on it opens nothing. The last one of an account stays. */
  removeKey(id: string, options: CallOptions = {}): Promise<ApiKeyRemoved> {
    return this.call("DELETE", `/api/v1/keys/${encodeURIComponent(id)}`, {}, options);
  }

  /** Get a phone number for a platform. Its price is held, spent when the code comes, and given back otherwise. */
  order(body: OrderRequest, options: CallOptions = {}): Promise<OrderPlaced> {
    return this.call("POST", "/api/v1/order", { body, isKeyed: true }, options);
  }

  /**
   * How an order is; with `wait`, once its status changes, or with `until=expiry` once anything does; with `as_of`,
   * how it was.
   */
  getOrder(id: string, query: { wait?: number; until?: HowFar; as_of?: PointInHistory } = {}, options: CallOptions = {}): Promise<Order> {
    return this.call("GET", `/api/v1/order/${encodeURIComponent(id)}`, { query }, options);
  }

  /**
   * Cancel an order any time before its end and get the whole hold back. A second time: the same answer. If the code
   * came first: 409 with the completed order.
   */
  cancel(id: string, body: CancelRequest = {}, options: CallOptions = {}): Promise<OrderCancelled> {
    return this.call("POST", `/api/v1/order/${encodeURIComponent(id)}/cancel`, { body, isKeyed: true }, options);
  }

  /** The history of an order: every fact with its number, time, attempt and what it did to your money. */
  orderEvents(id: string, options: CallOptions = {}): Promise<OrderHistory> {
    return this.call("GET", `/api/v1/order/${encodeURIComponent(id)}/events`, {}, options);
  }

  /**
   * Say that you want nothing more of a completed order: its number goes back, and no further message reaches it. A
   * second time: the same answer. An order without a code cannot be finished: cancel it.
   */
  finish(id: string, options: CallOptions = {}): Promise<OrderFinished> {
    return this.call("POST", `/api/v1/order/${encodeURIComponent(id)}/finish`, { body: {}, isRepeatable: true }, options);
  }

  /**
   * Say what was wrong with an order's number or its code. Once for each reason; it counts against the number's
   * source, and the operator sees it. A `wrong_code` gives the price back, and the number with it, while the order
   * keeps its number and no message of its platform has come: once, and once more for every ten completed orders.
   */
  report(id: string, body: ReportRequest, options: CallOptions = {}): Promise<OrderReported> {
    return this.call("POST", `/api/v1/order/${encodeURIComponent(id)}/report`, { body }, options);
  }

  /** Your orders, newest first, with filters that must all fit. */
  listOrders(query: { status?: OrderStatus; platform?: PlatformName; from?: DateOrTime; to?: DateOrTime; limit?: number; cursor?: CursorText } = {}, options: CallOptions = {}): Promise<OrderList> {
    return this.call("GET", "/api/v1/orders", { query }, options);
  }

  /**
   * Open an account. Unless the operator wants something of newcomers, nobody has to approve it. The key and the
   * webhook secret are shown this once.
   */
  register(body: RegisterRequest = {}, options: CallOptions = {}): Promise<AccountRegistered> {
    return this.call("POST", "/api/v1/register", { body }, options);
  }

  /**
   * What opening an account takes: terms to accept, an invite, a challenge to solve. A refusal of `POST /register`
   * has the same as `detail.registration`.
   */
  registerChallenge(options: CallOptions = {}): Promise<RegistrationWanted> {
    return this.call("GET", "/api/v1/register/challenge", {}, options);
  }

  /** The platforms, their list prices, and the countries. */
  listServices(query: { country?: CountryCode } = {}, options: CallOptions = {}): Promise<ServiceList> {
    return this.call("GET", "/api/v1/services", { query }, options);
  }

  /** What was ordered and spent: totals and a series without holes. */
  usage(query: { from?: DateOrTime; to?: DateOrTime; granularity?: Granularity; group_by?: GroupBy } = {}, options: CallOptions = {}): Promise<Usage> {
    return this.call("GET", "/api/v1/usage", { query }, options);
  }

  /**
   * Order a number, wait for its SMS and return the code, in one call. Hanging up cancels nothing; the same
   * idempotency key resumes the wait.
   */
  verify(body: VerifyRequest, options: CallOptions = {}): Promise<Verified> {
    return this.call("POST", "/api/v1/verify", { body, isKeyed: true }, options);
  }

  /** Have nothing pushed to you any more. Deliveries still under way end undelivered. */
  removeWebhook(options: CallOptions = {}): Promise<Webhook> {
    return this.call("DELETE", "/api/v1/webhook", {}, options);
  }

  /** Where pushes go now. */
  getWebhook(options: CallOptions = {}): Promise<Webhook> {
    return this.call("GET", "/api/v1/webhook", {}, options);
  }

  /** Have events pushed to you: `sms.received`, `order.failed`, `balance.low`. */
  setWebhook(body: WebhookRequest, options: CallOptions = {}): Promise<Webhook> {
    return this.call("PUT", "/api/v1/webhook", { body }, options);
  }

  /** What was pushed to you and how it fared, newest first. */
  listWebhookDeliveries(query: { status?: DeliveryStatus; limit?: number; cursor?: CursorNumber } = {}, options: CallOptions = {}): Promise<WebhookDeliveries> {
    return this.call("GET", "/api/v1/webhook/deliveries", { query }, options);
  }

  /** Have everything since a time delivered once more. */
  redeliverSince(body: RedeliverRequest, options: CallOptions = {}): Promise<Redelivered> {
    return this.call("POST", "/api/v1/webhook/deliveries/redeliver", { body }, options);
  }

  /** Have one delivery made once more, from the start of the schedule. */
  redeliver(sequence: number, options: CallOptions = {}): Promise<Redelivered> {
    return this.call("POST", `/api/v1/webhook/deliveries/${encodeURIComponent(sequence)}/redeliver`, {}, options);
  }

  /** Get a fresh webhook secret. For 24 hours deliveries carry the signatures of both. */
  rotateWebhookSecret(options: CallOptions = {}): Promise<WebhookSecret> {
    return this.call("POST", "/api/v1/webhook/rotate-secret", {}, options);
  }

  /** Send a `webhook.test` event, signed and retried like every other. */
  testWebhook(options: CallOptions = {}): Promise<WebhookTest> {
    return this.call("POST", "/api/v1/webhook/test", {}, options);
  }
}
