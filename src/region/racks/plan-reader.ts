import type { PlanAnswer } from '../../contract/rack-words.ts';
import type { Sql } from '../database/database.ts';

/** Plans that are in memory at one time. */
const AT_ONCE = 100;

interface Question {
  readonly rack: string;
  /** The version it has; undefined: none. */
  readonly known: number | undefined;
  readonly resolve: (answer: PlanAnswer | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Reads plans for all that ask at the same time in one question: a change for a thousand racks wakes a thousand. */
export class PlanReader {
  readonly #sql: Sql;
  #waiting: Question[] = [];
  #isReading = false;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** The plan of `rack`, unless that is of the version `known`. */
  read(rack: string, known: number | undefined): Promise<PlanAnswer | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ rack, known, resolve, reject });
      if (!this.#isReading) void this.#readAll();
    });
  }

  /** Never answers with what was read before it was asked. */
  async #readAll(): Promise<void> {
    this.#isReading = true;
    while (this.#waiting.length > 0) {
      const questions = this.#waiting.splice(0, AT_ONCE);
      try {
        const answers = await this.#ask(questions);
        for (const [i, { resolve }] of questions.entries()) resolve(answers.get(i + 1));
      } catch (error) {
        for (const { reject } of questions) reject(error);
      }
    }
    this.#isReading = false;
  }

  async #ask(questions: readonly Question[]): Promise<Map<number, PlanAnswer>> {
    const rows = await this.#sql.query(
      `SELECT place, plan, plan_version, orders
       FROM unnest($1::uuid[], $2::bigint[]) WITH ORDINALITY AS asked (id, known, place) JOIN rack USING (id)
       WHERE plan_version IS DISTINCT FROM known`,
      [questions.map(({ rack }) => rack), questions.map(({ known }) => known ?? null)],
    );
    return new Map(
      rows.map((row) => [
        Number(row['place']),
        {
          version: Number(row['plan_version']),
          config: row['plan'] as PlanAnswer['config'],
          orders: row['orders'] as PlanAnswer['orders'],
        },
      ]),
    );
  }
}
