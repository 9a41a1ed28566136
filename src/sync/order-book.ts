import { readFileSync } from 'node:fs';

import * as z from 'zod';

import type { Orders } from '../contract/rack-words.ts';
import type { RegionOrder } from '../service/region-letters.ts';
import { replaceFile } from '../system/replace-file.ts';

const KINDS = ['stopImport', 'import', 'scan'] as const satisfies readonly RegionOrder[];

const number = z.int().min(1).optional();
const schema = z.object({ rack: z.string().optional(), import: number, stopImport: number, scan: number });
type Done = z.output<typeof schema>;

export interface DueOrder {
  readonly order: RegionOrder;
  readonly number: number;
}

/**
 * Which orders of the region were obeyed. An order is written down when it is under way: it may be obeyed twice, where the rack dies
 * between the two, and is never lost. To import or to look for machines twice does no harm. What came together is done in the order of
 * its numbers; but an import that is stopped later is not begun.
 */
export class OrderBook {
  readonly #file: string;
  #done: Done;
  /** Handed on, in this process. */
  readonly #begun = new Map<RegionOrder, number>();

  constructor(file: string) {
    this.#file = file;
    this.#done = read(file);
  }

  /** Those of `orders` that are still to be obeyed by this rack; each is given once. */
  due(orders: Orders, rack: string | undefined): DueOrder[] {
    // Enrolled anew it is another rack, whose orders begin at 1
    if (rack !== this.#done.rack) {
      this.#done = { ...(rack !== undefined && { rack }) };
      this.#begun.clear();
    }
    this.#goBack(orders);
    const due: DueOrder[] = [];
    for (const order of KINDS) {
      const wanted = orders[order] ?? 0;
      if (wanted <= Math.max(this.#done[order] ?? 0, this.#begun.get(order) ?? 0)) continue;
      this.#begun.set(order, wanted);
      due.push({ order, number: wanted });
    }
    const stop = due.find(({ order }) => order === 'stopImport')?.number ?? 0;
    const isStopped = ({ order, number: wanted }: DueOrder): boolean => order === 'import' && wanted < stop;
    // It is written down with the stop
    if (due.some(isStopped)) this.#done = { ...this.#done, import: orders.import };
    return due.filter((each) => !isStopped(each)).toSorted((a, b) => a.number - b.number);
  }

  /** It is under way. Throws what the disk says. */
  obeyed(order: RegionOrder, wanted: number): void {
    this.#done = { ...this.#done, [order]: wanted };
    replaceFile(this.#file, JSON.stringify(this.#done));
  }

  /** A region whose numbers are less than they were was put back to an older time: its next order is a new one all the same. */
  #goBack(orders: Orders): void {
    const isBehind = (order: RegionOrder): boolean => (orders[order] ?? 0) < (this.#done[order] ?? 0);
    for (const [order, wanted] of this.#begun) if ((orders[order] ?? 0) < wanted) this.#begun.delete(order);
    if (!KINDS.some(isBehind)) return;
    for (const order of KINDS.filter(isBehind)) this.#done = { ...this.#done, [order]: orders[order] };
    try {
      replaceFile(this.#file, JSON.stringify(this.#done));
    } catch {
      // With the next one that is obeyed
    }
  }
}

/** What can't be read was never obeyed, as far as is known. */
function read(file: string): Done {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return {};
  }
}
