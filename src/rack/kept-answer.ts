import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

import { planAnswerSchema, type PlanAnswer } from '../contract/rack-words.ts';
import { messageOf } from '../system/message-of.ts';
import { replaceFile } from '../system/replace-file.ts';

/** What the region had for this rack when it was last taken; neither where it has had nothing. */
export interface AnswerRead {
  readonly answer?: PlanAnswer;
  /** Why it can't be read. */
  readonly reason?: string;
}

/** The file that it is in, in the state directory. */
export class KeptAnswer {
  readonly #file: string;

  constructor(state: string) {
    this.#file = join(state, 'region-plan.json');
  }

  /** Without touching it. */
  look(): AnswerRead {
    return this.#read(() => undefined);
  }

  /** One that is no answer is put aside: it would be complained of at each start. One that can't be read now may be later. */
  take(): AnswerRead {
    return this.#read(() => {
      try {
        renameSync(this.#file, `${this.#file}.unreadable`);
      } catch {
        // It is read again, and said again, at the next start
      }
    });
  }

  /** Whole or not at all; throws when the disk refuses. */
  write(answer: PlanAnswer): void {
    replaceFile(this.#file, JSON.stringify(answer));
  }

  #read(spoilt: () => void): AnswerRead {
    let text: string;
    try {
      text = readFileSync(this.#file, 'utf8');
    } catch (error) {
      const isThere = !(error instanceof Error && 'code' in error && error.code === 'ENOENT');
      return isThere ? { reason: messageOf(error) } : {};
    }
    try {
      return { answer: planAnswerSchema.parse(JSON.parse(text)) };
    } catch (error) {
      spoilt();
      return { reason: `${this.#file}: ${messageOf(error)}` };
    }
  }
}
