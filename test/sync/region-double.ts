import assert from 'node:assert/strict';

import type * as z from 'zod';

import { RACK_PATHS } from '../../src/contract/paths.ts';
import { parseAuthorization } from '../../src/contract/rack-key.ts';
import {
  eventBatchSchema,
  newKeySchema,
  statusReportSchema,
  type EventBatch,
  type Orders,
  type StatusReport,
} from '../../src/contract/rack-words.ts';
import { RackSecret } from '../../src/sync/rack-secret.ts';
import { RegionFault } from '../../src/sync/region-fault.ts';
import type { Question, RawAnswer, Transport } from '../../src/sync/transport.ts';
import type { SlowTime } from './slow-time.ts';

/** A region without a wire, which holds its racks to the contract. */
export class RegionDouble {
  readonly #time: SlowTime;
  keyHash = '';
  nextKeyHash: string | undefined;
  isAway = false;
  version = 1;
  config: Record<string, unknown> = {};
  orders: Orders = {};
  wantsFile = false;
  /** Questions by a key that it does not know. */
  refused = 0;
  /** Milliseconds that its clock is ahead. */
  ahead = 0;
  /** Milliseconds that it takes for a batch. */
  slow = 0;
  /** Answers nothing to what it has done. */
  losesAnswers = false;
  refusesBatches = false;
  refuses: ((record: EventBatch['records'][number]) => boolean) | undefined;
  readonly statuses: StatusReport[] = [];
  readonly batches: (Pick<EventBatch, 'stream' | 'forgotten'> & { readonly at: number; readonly count: number })[] = [];
  /** Of all streams, in the order they came. */
  readonly records: EventBatch['records'][number][] = [];
  readonly plans: { readonly at: number; readonly path: string }[] = [];
  readonly #kept = new Map<string, number>();
  #waiting: (() => void)[] = [];

  constructor(time: SlowTime) {
    this.#time = time;
  }

  readonly connect = (): Promise<Transport> => {
    if (this.isAway) return Promise.reject(new RegionFault('away', 'connect ECONNREFUSED'));
    return Promise.resolve({ isOpen: true, close: () => undefined, ask: (question) => this.#ask(question) });
  };

  kinds(): string[] {
    return this.records.map(({ kind }) => kind);
  }

  /** Who waits for a plan is answered. */
  publish(config: Record<string, unknown>, orders: Orders = this.orders): void {
    this.version++;
    this.config = config;
    this.orders = orders;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** For `restore`. */
  save(): { readonly records: number; readonly kept: ReadonlyMap<string, number> } {
    return { records: this.records.length, kept: new Map(this.#kept) };
  }

  /** It is as it was when this was saved. */
  restore({ records, kept }: ReturnType<RegionDouble['save']>): void {
    this.records.length = records;
    this.#kept.clear();
    for (const [stream, number] of kept) this.#kept.set(stream, number);
  }

  /** Somebody else has told so many records more of each stream. */
  tellAsAnother(count: number): void {
    for (const [stream, number] of this.#kept) this.#kept.set(stream, number + count);
  }

  leave(): void {
    this.isAway = true;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #ask(question: Question): Promise<RawAnswer> {
    this.#checkAway();
    const hash = new RackSecret(parseAuthorization(question.authorization)?.key ?? '').hash;
    if (hash === this.nextKeyHash) [this.keyHash, this.nextKeyHash] = [hash, undefined];
    if (hash !== this.keyHash) {
      this.refused++;
      return { status: 401, text: '{"error":"this is no key of a rack of this region"}' };
    }
    const [path] = question.path.split('?');
    const answer = await this.#answer(path ?? '', question);
    this.#checkAway();
    if (this.losesAnswers) throw new RegionFault('away', 'the connection was cut');
    return answer;
  }

  #answer(path: string, question: Question): Promise<RawAnswer> | RawAnswer {
    if (path === RACK_PATHS.plan) return this.#plan(question);
    if (path === RACK_PATHS.events) return this.#events(bodyOf(question, eventBatchSchema));
    if (path === RACK_PATHS.status) {
      this.statuses.push(bodyOf(question, statusReportSchema));
      return ok({ at: this.#time.now() + this.ahead, ...(this.wantsFile && { wants: ['file'] }) });
    }
    assert.equal(path, RACK_PATHS.key);
    this.nextKeyHash = bodyOf(question, newKeySchema).keyHash;
    return ok({});
  }

  async #plan({ path }: Question): Promise<RawAnswer> {
    this.plans.push({ at: this.#time.monotonic(), path });
    const query = new URLSearchParams(path.split('?')[1]);
    if (query.get('after') === String(this.version)) {
      await new Promise<void>((resolve) => {
        const timer = this.#time.after(Number(query.get('wait')) * 1000, resolve);
        this.#waiting.push(() => (timer.cancel(), resolve()));
      });
    }
    if (query.get('after') === String(this.version)) return { status: 204, text: '' };
    return ok({ version: this.version, config: this.config, orders: this.orders });
  }

  async #events({ stream, records, forgotten }: EventBatch): Promise<RawAnswer> {
    if (this.refusesBatches) return { status: 400, text: '{"error":"stream: expected another"}' };
    const refused = this.refuses && records.find(this.refuses);
    if (refused) return { status: 400, text: `{"error":"records: number ${refused.number} is nothing we know"}` };
    if (this.slow > 0) await new Promise<void>((resolve) => this.#time.after(this.slow, resolve));
    this.#checkAway();
    this.batches.push({ at: this.#time.monotonic(), count: records.length, stream, ...(forgotten && { forgotten }) });
    let kept = this.#kept.get(stream) ?? 0;
    for (const record of records) {
      if (record.number <= kept) continue;
      kept = record.number;
      this.records.push(record);
    }
    this.#kept.set(stream, kept);
    return ok({ kept });
  }

  #checkAway(): void {
    if (this.isAway) throw new RegionFault('away', 'the connection was cut');
  }
}

function bodyOf<S extends z.ZodType>({ body = '' }: Question, schema: S): z.output<S> {
  return schema.parse(JSON.parse(body));
}

function ok(body: unknown): RawAnswer {
  return { status: 200, text: JSON.stringify(body) };
}
