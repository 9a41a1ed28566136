import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';

import { pino } from 'pino';

import { formatAuthorization, type RackCredentials } from '../../src/contract/rack-key.ts';
import type { Database } from '../../src/region/database/database.ts';
import { GuessLimit } from '../../src/region/guess-limit.ts';
import type { Action } from '../../src/region/operators/handler.ts';
import { HANDLERS } from '../../src/region/operators/handlers.ts';
import { createKey, createOperator, type KeyParts } from '../../src/region/operators/keys.ts';
import { operatorRoutes } from '../../src/region/operators/operator-routes.ts';
import { migrate } from '../../src/region/database/migrate.ts';
import { createToken } from '../../src/region/racks/enrol-token.ts';
import { hashSecret } from '../../src/region/secret-hash.ts';
import { Region, type RegionDependencies } from '../../src/region/server.ts';
import { systemClock } from '../../src/system/clock.ts';
import type { KeyPair } from '../../src/system/key-pair.ts';

import { RegionApi } from './region-api.ts';

export interface Answer {
  readonly status: number;
  /** JSON where it is some, else text. */
  readonly body: unknown;
}

const API = new RegionApi();

/** A region on loopback, and a rack's side of it by hand: whatever it answers a rack is held against etc/region-api.yaml. */
export class RegionRig implements AsyncDisposable {
  readonly database: Database;
  readonly url: string;
  /** All that it logged. */
  readonly log: readonly string[];
  readonly region: Region;

  /** `tls`: of 127.0.0.1; then its own requests trust anybody there. */
  static async create(
    database: Database,
    changed: Partial<RegionDependencies> = {},
    tls?: KeyPair,
  ): Promise<RegionRig> {
    await migrate(database);
    const lines: string[] = [];
    const log = pino({ base: null }, { write: (line: string) => lines.push(line) });
    const guesses = new GuessLimit(systemClock);
    const operators = operatorRoutes({ database, log, guesses, handlers: HANDLERS });
    const region = await Region.open({ database, clock: systemClock, log, operators, ...changed });
    const port = await region.listen('127.0.0.1', 0, tls);
    return new RegionRig(database, region, `${tls ? 'https' : 'http'}://127.0.0.1:${port}`, lines);
  }

  private constructor(database: Database, region: Region, url: string, log: readonly string[]) {
    this.database = database;
    this.region = region;
    this.url = url;
    this.log = log;
  }

  async ask(method: string, path: string, headers: Record<string, string> = {}, body?: string): Promise<Answer> {
    const answer = await this.#ask(method, path, headers, body);
    if (path.startsWith('/racks/')) {
      const { status } = answer;
      const faults = [API.replyFault(method, path, status, status === 204 ? undefined : answer.body)];
      if (status < 300) faults.push(API.requestFault(method, path, body === undefined ? undefined : parsed(body)));
      // An odd record is taken: that stands there too
      const fault = faults.find((each) => each !== undefined && !each.includes('data/records/'));
      if (fault !== undefined) throw new Error(`etc/region-api.yaml: ${fault}`);
    }
    return answer;
  }

  async #ask(method: string, path: string, headers: Record<string, string>, body?: string): Promise<Answer> {
    if (this.url.startsWith('https:')) return this.#askSecurely(method, path, headers, body);
    const response = await fetch(this.url + path, { method, headers, ...(body !== undefined && { body }) });
    const text = await response.text();
    return { status: response.status, body: parsed(text) };
  }

  async #askSecurely(method: string, path: string, headers: Record<string, string>, body?: string): Promise<Answer> {
    const outgoing = request(this.url + path, { method, headers, rejectUnauthorized: false, agent: false });
    outgoing.end(body);
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    const text = (await response.setEncoding('utf8').toArray()).join('');
    return { status: response.statusCode ?? 0, body: parsed(text) };
  }

  /** As this rack. */
  say(rack: RackCredentials, method: string, path: string, body?: unknown): Promise<Answer> {
    const headers = { authorization: formatAuthorization(rack), 'content-type': 'application/json' };
    return this.ask(method, path, headers, body === undefined ? undefined : JSON.stringify(body));
  }

  post(path: string, body: unknown): Promise<Answer> {
    return this.ask('POST', path, { 'content-type': 'application/json' }, JSON.stringify(body));
  }

  token(rack?: string, seconds = 3600): Promise<string> {
    return this.database.transaction((sql) => createToken(sql, { rack, seconds, who: 'test' }));
  }

  async enrol(name: string): Promise<RackCredentials> {
    const key = newKey();
    const enrolment = { token: await this.token(), keyHash: hashSecret(key), name, version: '0.1.0' };
    const { status, body } = await this.post('/racks/v1/enrol', enrolment);
    if (status !== 201) throw new Error(JSON.stringify(body));
    return { rack: (body as { rack: string }).rack, key };
  }

  /** An operator's key. */
  async key(name = 'root', isAdmin = true): Promise<KeyParts> {
    return this.database.transaction(async (sql) => {
      await createOperator(sql, { name, email: 'a@b.example', password: 'x', isAdmin }, 'test');
      return createKey(sql, name, 'a key', 'test');
    });
  }

  /** As an operator: `form` in the query of a GET, else as a form. */
  async operate(
    key: KeyParts,
    method: string,
    path: string,
    form: Record<string, string> | string = {},
  ): Promise<Answer> {
    const text = typeof form === 'string' ? form : new URLSearchParams(form).toString();
    const authorization = oauthOf(key);
    const isQuery = method === 'GET' || method === 'DELETE';
    const query = isQuery && text !== '' ? `${path.includes('?') ? '&' : '?'}${text}` : '';
    const headers = { authorization, ...(!isQuery && { 'content-type': 'application/x-www-form-urlencoded' }) };
    const answer = await this.ask(method, `/MAAS/api/${path}${query}`, headers, isQuery ? undefined : text);
    if (answer.status < 300) actionAt(method, path)?.reply?.parse(answer.body);
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.region.close();
    await this.database.close();
  }
}

/** As clients of MAAS prove who they are. */
export function oauthOf({ consumer, token, secret }: KeyParts): string {
  const signature = encodeURIComponent(`&${secret}`);
  return `OAuth oauth_version="1.0", oauth_signature_method="PLAINTEXT", oauth_consumer_key="${consumer}", oauth_token="${token}", oauth_signature="${signature}", oauth_nonce="1", oauth_timestamp="1"`;
}

/** What is promised to be answered there. */
function actionAt(method: string, path: string): Action | undefined {
  const { pathname, searchParams } = new URL(path, 'http://region.example');
  const [, version, place = ''] = /^\/(\d\.\d)\/(.*?)\/?$/.exec(pathname) ?? [];
  const isThere = (template: string): boolean =>
    new RegExp(`^${template.replace(/\/$/, '').replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(place);
  const handler = HANDLERS.find((row) => row.versions.some((each) => each === version) && isThere(row.path));
  return handler?.actions.find((row) => row.method === method && (row.op ?? null) === searchParams.get('op'));
}

export function newKey(): string {
  return randomBytes(32).toString('base64url');
}

/** What a rack reports that is well. */
export const STATUS = {
  at: 1,
  version: '0.1.0',
  startedAt: 1,
  services: [{ name: 'dhcp', state: 'serving', restarts: 0 }],
  plan: { conflicts: [] },
  interfaces: [{ name: 'eth0', address: '192.168.127.100', prefix: 24, mac: '52:54:00:00:00:01' }],
  images: [],
  isImporting: false,
  leases: 0,
  notices: [],
  outbox: { waiting: 0 },
};

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
