import { randomBytes } from 'node:crypto';

import type { Trust } from '../system/trusted-connection.ts';
import { proofOf } from './api-address.ts';
import type { ApiRequest } from './api-request.ts';
import { DescriptionFault, readDescription, type Description } from './description.ts';
import { encodeForm } from './form.ts';
import { authorizationOf, withoutSecret, type ApiKey } from './oauth.ts';
import { plainLine } from './plain-text.ts';
import type { Send, WireReply, WireRequest } from './send.ts';

/** Clocks that differ by more may be why a key is refused. */
const SKEW_MILLISECONDS = 30_000;

export interface ApiClientSettings {
  /** With version, and a slash at its end: http://region.example:5240/MAAS/api/2.0/ */
  readonly address: string;
  readonly key: ApiKey;
  readonly trust: Trust;
  readonly send: Send;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Hears of what is sent and what comes back, without the key; what servers say is as they said it. */
  readonly trace?: ((line: string) => void) | undefined;
}

/** The server answered, and not as it should have. The message is a sentence. */
export class ApiFault extends Error {
  override readonly name = 'ApiFault';
}

/** A client of one API. Its methods reject with NoAnswer when the server can't be reached. */
export class ApiClient {
  readonly #settings: ApiClientSettings;
  readonly #url: URL;

  constructor(settings: ApiClientSettings) {
    this.#settings = settings;
    this.#url = new URL(settings.address);
  }

  /** What it can do. It is asked without the key. Rejects with ApiFault when it does not say. */
  async describe(): Promise<Description> {
    const where = `${this.#settings.address}describe/`;
    const reply = await this.#send(this.#below('describe/'));
    if (reply.status !== 200) throw new ApiFault(`${where} answers ${statusLine(reply)}${elsewhere(reply)}`);
    try {
      return readDescription(new TextDecoder().decode(reply.body));
    } catch (error) {
      if (error instanceof DescriptionFault)
        throw new ApiFault(`${where} is no description of an API: ${error.message}`);
      throw error;
    }
  }

  /** Rejects with ApiFault when the key is none of this server's. */
  async prove(): Promise<void> {
    const { address, key } = this.#settings;
    const reply = await this.call(this.#below(proofOf(address)));
    if (reply.status === 401) throw new ApiFault(`${address} does not know this key`);
    if (reply.status === 200) return;
    const clause = withoutSecret(`${statusLine(reply)}${elsewhere(reply)}`, key);
    throw new ApiFault(`${address} does not take this key: ${clause}`);
  }

  /** With the key; once more by the server's clock, where ours may be why it was refused. */
  async call(request: ApiRequest): Promise<WireReply> {
    const { now } = this.#settings;
    const reply = await this.#send(request, now());
    const date = Date.parse(reply.header('date') ?? '');
    const isOff = Math.abs(date - now()) > SKEW_MILLISECONDS;
    return reply.status === 401 && isOff ? this.#send(request, date) : reply;
  }

  #below(path: string): ApiRequest {
    return { method: 'GET', path: `${this.#url.pathname}${path}`, fields: [] };
  }

  /** `signedAt`: Unix milliseconds; absent: without the key. */
  async #send({ method, path, fields }: ApiRequest, signedAt?: number): Promise<WireReply> {
    const { key, trust, send } = this.#settings;
    const form = fields.length === 0 ? undefined : await encodeForm(fields);
    const nonce = randomBytes(8).toString('hex');
    const headers = {
      accept: '*/*',
      ...(form && { 'content-type': form.type }),
      ...(method !== 'GET' && { 'content-length': form?.body.length ?? 0 }),
    };
    const request: WireRequest = {
      url: this.#url,
      trust,
      method,
      path,
      headers: { ...headers, ...(signedAt !== undefined && { authorization: authorizationOf(key, signedAt, nonce) }) },
      body: form?.body,
    };
    this.#traceRequest(request, fields);
    const reply = await send(request);
    this.#traceReply(reply);
    return reply;
  }

  #traceRequest({ method, path, headers, url }: WireRequest, fields: ApiRequest['fields']): void {
    const { trace } = this.#settings;
    if (!trace) return;
    trace(`> ${method} ${path}`);
    trace(`> host: ${url.host}`);
    for (const [name, value] of Object.entries(headers)) {
      trace(`> ${name}: ${name === 'authorization' ? 'OAuth (the key is not shown)' : value}`);
    }
    for (const [name, value] of fields) {
      const isSecret = /pass|secret|token/i.test(name);
      if (typeof value !== 'string') trace(`> ${name}@=${value.fileName} (${value.bytes.length} bytes)`);
      else trace(`> ${name}=${isSecret ? '(not shown)' : value}`);
    }
  }

  #traceReply(reply: WireReply): void {
    const { trace } = this.#settings;
    if (!trace) return;
    trace(`< ${statusLine(reply)}`);
    for (const [name, value] of reply.headers) trace(`< ${name}: ${value}`);
  }
}

/** "404 Not Found" */
export function statusLine({ status, reason }: Pick<WireReply, 'status' | 'reason'>): string {
  return plainLine(`${status} ${reason}`);
}

/** Where a reply wants to have us; "" when it stays where it is. We never go: our key is for the server it was made for. */
export function elsewhere(reply: Pick<WireReply, 'status' | 'header'>): string {
  const location = reply.status >= 300 && reply.status < 400 ? reply.header('location') : undefined;
  return location === undefined ? '' : `: it is at ${plainLine(location)} now, where a login of its own is needed`;
}

/** Whether the server has another description than the one that commands were built from. */
export function isOutdated({ hash }: Description, reply: Pick<WireReply, 'header'>): boolean {
  const now = reply.header('x-maas-api-hash');
  return now !== undefined && hash !== undefined && now !== hash;
}
