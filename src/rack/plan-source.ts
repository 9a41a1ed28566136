import { readFileSync } from 'node:fs';

import { compilePlan } from '../plan/compile-plan.ts';
import { formatFault } from '../plan/fault.ts';
import type { Plan } from '../plan/plan.ts';
import { createSurvey } from './surroundings.ts';

/** One reading of the file. Without a `plan` it can't be served. */
export interface PlanAttempt {
  /** Unix milliseconds. */
  readonly at: number;
  readonly plan?: Plan;
  /** A line each, with file, line and column. */
  readonly faults: readonly string[];
}

/** Where Plans come from. */
export class PlanSource {
  readonly #file: string;
  readonly #survey = createSurvey();

  constructor(file: string) {
    this.#file = file;
  }

  /** Reads and compiles the file as it is now, against this machine as it is now. */
  compile(now: number): PlanAttempt {
    let text: string;
    try {
      text = readFileSync(this.#file, 'utf8');
    } catch (error) {
      return {
        at: now,
        faults: [`${this.#file}: can't be read: ${error instanceof Error ? error.message : String(error)}`],
      };
    }
    const { plan, faults } = compilePlan(text, this.#file, this.#survey());
    const lines = faults.map(formatFault);
    return plan ? { at: now, plan, faults: lines } : { at: now, faults: lines };
  }
}
