import assert from 'node:assert/strict';

import type { StoredRecord } from '../../src/sync/outbox.ts';

/** What a region keeps of the streams of one rack, as the contract says: a number that is not above the last one is known. */
export class RegionModel {
  readonly names: string[] = [];
  readonly #kept = new Map<string, number>();

  /** Keeps the first `most` of a batch; gives the highest number that it has of the stream. */
  keep(stream: string, records: readonly StoredRecord[], most = records.length): number {
    let kept = this.#kept.get(stream) ?? 0;
    let before = 0;
    for (const { number, body } of records.slice(0, most)) {
      assert.ok(number > before, `number ${number} behind ${before}`);
      before = number;
      if (number <= kept) continue;
      kept = number;
      this.names.push((JSON.parse(body) as { name: string }).name);
    }
    this.#kept.set(stream, kept);
    return kept;
  }
}
