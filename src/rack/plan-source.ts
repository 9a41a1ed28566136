import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { parseDocument } from 'yaml';

import { compilePlan } from '../plan/compile-plan.ts';
import { formatFault } from '../plan/fault.ts';
import type { Plan } from '../plan/plan.ts';
import type { InterfaceAddress } from '../plan/surroundings.ts';
import { replaceFile } from '../system/replace-file.ts';
import { messageOf } from '../system/message-of.ts';
import { createSurvey } from './surroundings.ts';

/** One reading of the file. Without a `plan` it can't be served. */
export interface PlanAttempt {
  /** Unix milliseconds. */
  readonly at: number;
  readonly plan?: Plan;
  /** A line each, with file, line and column. */
  readonly faults: readonly string[];
  /** The file's text, when it could be read. */
  readonly text?: string;
}

/** Where Plans come from. */
export class PlanSource {
  readonly #file: string;
  readonly #survey = createSurvey();

  constructor(file: string) {
    this.#file = file;
  }

  localAddresses(): readonly InterfaceAddress[] {
    return this.#survey().interfaces;
  }

  /** Reads and compiles the file as it is now, against this machine as it is now. `running`: the Plan in force. */
  compile(now: number, running?: Plan): PlanAttempt {
    return this.#compileFile(this.#file, now, running);
  }

  /** The text last kept by `keep`: what to serve when the file is broken at a start. */
  compileKept(now: number): PlanAttempt {
    return this.#compileFile(keptFile(stateDirectory(this.#file)), now);
  }

  /** Puts a text that was taken up beside the rack's state, whole or not at all. */
  keep({ plan, text }: PlanAttempt): void {
    if (plan && text !== undefined) replaceFile(keptFile(plan.rack.state), text);
  }

  #compileFile(file: string, now: number, running?: Plan): PlanAttempt {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      return {
        at: now,
        faults: [`${file}: can't be read: ${messageOf(error)}`],
      };
    }
    const { plan, faults } = compilePlan(text, file, {
      ...this.#survey(running),
      directory: dirname(resolve(this.#file)),
    });
    const lines = faults.map(formatFault);
    return { at: now, text, faults: lines, ...(plan ? { plan } : {}) };
  }
}

const DEFAULT_STATE = '/var/lib/rackboot';

function keptFile(state: string): string {
  return join(state, 'last-good.yaml');
}

/** `rack.state` of a file that may be broken elsewhere. */
function stateDirectory(file: string): string {
  try {
    const value: unknown = parseDocument(readFileSync(file, 'utf8')).getIn(['rack', 'state']);
    return typeof value === 'string' ? value : DEFAULT_STATE;
  } catch {
    return DEFAULT_STATE;
  }
}
