import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

import { planAnswerSchema, type PlanAnswer } from '../contract/rack-words.ts';
import { messageOf } from '../system/message-of.ts';
import { replaceFile } from '../system/replace-file.ts';

/** What the region had for this rack when it was last taken, in the state directory. */
export class KeptAnswer {
  readonly #file: string;

  constructor(state: string) {
    this.#file = join(state, 'region-plan.json');
  }

  /** Without touching it: undefined where there is none that can be read. */
  look(): PlanAnswer | undefined {
    try {
      return this.#parse();
    } catch {
      return undefined;
    }
  }

  /** Undefined where there is none. One that can't be read is put aside, and told by `lost`. */
  read(lost: (reason: string) => void): PlanAnswer | undefined {
    if (!existsSync(this.#file)) return undefined;
    try {
      return this.#parse();
    } catch (error) {
      lost(`${this.#file}: ${messageOf(error)}`);
      this.#putAside();
      return undefined;
    }
  }

  /** Whole or not at all; throws when the disk refuses. */
  write(answer: PlanAnswer): void {
    replaceFile(this.#file, JSON.stringify(answer));
  }

  #parse(): PlanAnswer {
    return planAnswerSchema.parse(JSON.parse(readFileSync(this.#file, 'utf8')));
  }

  #putAside(): void {
    try {
      renameSync(this.#file, `${this.#file}.unreadable`);
    } catch {
      // It is read again, and said again, at the next start
    }
  }
}
