import { readFileSync } from 'node:fs';

import * as z from 'zod';

import type { Orders } from '../contract/rack-words.ts';
import type { RegionOrder } from '../service/region-letters.ts';
import { replaceFile } from '../system/replace-file.ts';

/** Of two that came together the one that stops something comes first: what should have been done is worse missed than done. */
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
 * between the two, and is never lost. To import or to look for machines twice does no harm.
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
    const due: DueOrder[] = [];
    for (const order of KINDS) {
      const wanted = orders[order] ?? 0;
      if (wanted <= Math.max(this.#done[order] ?? 0, this.#begun.get(order) ?? 0)) continue;
      this.#begun.set(order, wanted);
      due.push({ order, number: wanted });
    }
    return due;
  }

  /** It is under way. Throws what the disk says. */
  obeyed(order: RegionOrder, wanted: number): void {
    this.#done = { ...this.#done, [order]: wanted };
    replaceFile(this.#file, JSON.stringify(this.#done));
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
