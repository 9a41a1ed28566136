import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import type { PlanAnswer } from '../contract/rack-words.ts';
import { broughtFaults } from '../plan/brought-faults.ts';
import { compileDocument, type Compiled } from '../plan/compile-plan.ts';
import { ConfigDocument } from '../plan/config-document.ts';
import { formatFault } from '../plan/fault.ts';
import type { Plan } from '../plan/plan.ts';
import { isMapping, type RegionPart } from '../plan/region-document.ts';
import type { InterfaceAddress } from '../plan/surroundings.ts';
import { replaceFile } from '../system/replace-file.ts';
import { messageOf } from '../system/message-of.ts';
import { KeptAnswer, type AnswerRead } from './kept-answer.ts';
import { createSurvey } from './surroundings.ts';

/** Of sentences about what a region says, which may be about each of ten thousand hosts. */
const MOST_SENTENCES = 100;

/** One reading of the file. Without a `plan` it can't be served. */
export interface PlanAttempt {
  /** Unix milliseconds. */
  readonly at: number;
  readonly plan?: Plan;
  /** A line each, with file, line and column. */
  readonly faults: readonly string[];
  /** Where the region says something else than the file, a sentence each. */
  readonly conflicts: readonly string[];
  /** What the region says, where the file follows one that has said something. */
  readonly answer?: PlanAnswer;
  /** Why what the region said before can't be read. */
  readonly lost?: string;
  /** The file's text, when it could be read. */
  readonly text?: string;
}

/** A reading of the file with a new answer of the region. */
export interface AnswerAttempt extends PlanAttempt {
  /** What speaks against the answer, a line each. */
  readonly objections: readonly string[];
}

interface ConfigText {
  readonly file: string;
  readonly text: string;
  readonly document: ConfigDocument;
}

/** Where Plans come from: the file, and what the region last said. */
export class PlanSource {
  readonly #file: string;
  readonly #survey = createSurvey();
  /** Undefined until a file that follows a region was read. */
  #kept: AnswerRead | undefined;
  /** What is on disk of it. */
  #written: PlanAnswer | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  localAddresses(): readonly InterfaceAddress[] {
    return this.#survey().interfaces;
  }

  /** Reads and compiles the file as it is now, against this machine as it is now. `running`: the Plan in force. */
  compile(now: number, running?: Plan): PlanAttempt {
    const read = readConfig(this.#file);
    if (typeof read === 'string') return unreadable(now, read);
    const { answer, reason: lost } = this.#keptFor(read.document);
    return {
      ...this.#attempt(now, read, this.#compile(read, answer, running), answer),
      ...(lost !== undefined && { lost }),
    };
  }

  /** The same with a new answer of the region. */
  weigh(now: number, running: Plan, answer: PlanAnswer): AnswerAttempt {
    const read = readConfig(this.#file);
    if (typeof read === 'string') return { ...unreadable(now, read), objections: [read] };
    const compiled = this.#compile(read, answer, running);
    const attempt = this.#attempt(now, read, compiled, answer);
    if (!attempt.answer) return { ...attempt, objections: ['this rack follows no region any more'] };
    const before = () => this.#compile(read, this.#keptFor(read.document).answer, running).faults;
    const brought = broughtFaults(compiled.faults, nameOf(answer), before).map(formatFault);
    // What the file had before may leave no Plan as well
    const objections = brought.length === 0 && !attempt.plan ? attempt.faults : brought;
    return { ...attempt, objections: fewOf(objections) };
  }

  /** What to serve at a start where the file, or the file with what the region said, has no Plan in it. */
  compileStandIn(now: number): PlanAttempt | undefined {
    const own = readConfig(this.#file);
    const last = readConfig(keptFile(stateDirectory(typeof own === 'string' ? undefined : own.document)));
    const texts = [own, last].filter((read) => typeof read !== 'string');
    const followed =
      last === own || typeof last === 'string' ? [] : [[last, this.#keptFor(last.document).answer] as const];
    const alone = texts.map((read) => [read, undefined] as const);
    for (const [read, answer] of [...followed, ...alone]) {
      const attempt = this.#attempt(now, read, this.#compile(read, answer), answer);
      if (attempt.plan) return attempt;
    }
    return undefined;
  }

  /** Puts a text that was taken up beside the rack's state, whole or not at all, and so what the region says. */
  keep({ plan, text, answer }: PlanAttempt): void {
    if (!plan) return;
    // In force it is in any case: reloads must not lose it for a disk that is full
    if (answer) this.#kept = { answer };
    if (text !== undefined) replaceFile(keptFile(plan.rack.state), text);
    if (!answer || answer === this.#written) return;
    new KeptAnswer(plan.rack.state).write(answer);
    this.#written = answer;
  }

  /** Read when it is first asked for; one that could not be read is asked for again. */
  #keptFor(document: ConfigDocument): AnswerRead {
    if (!document.has(['region'])) return {};
    if (this.#kept && this.#kept.reason === undefined) return this.#kept;
    this.#kept = new KeptAnswer(stateDirectory(document)).take();
    this.#written = this.#kept.answer;
    return this.#kept;
  }

  #compile({ file, document }: ConfigText, answer: PlanAnswer | undefined, running?: Plan): Compiled {
    const surroundings = { ...this.#survey(running), directory: dirname(resolve(this.#file)) };
    return compileDocument(document, file, surroundings, answer && partOf(answer));
  }

  #attempt(
    at: number,
    { text, document }: ConfigText,
    compiled: Compiled,
    answer: PlanAnswer | undefined,
  ): PlanAttempt {
    const { plan, faults, conflicts } = compiled;
    return {
      at,
      text,
      faults: faults.map(formatFault),
      conflicts: fewOf(conflicts),
      ...(plan && { plan }),
      ...(answer && document.has(['region']) && { answer }),
    };
  }
}

/** What a rack with this file last took of its region, without touching it; nothing where it follows none. */
export function lookAtKept(document: ConfigDocument): { readonly part?: RegionPart; readonly reason?: string } {
  if (!document.has(['region'])) return {};
  const { answer, reason } = new KeptAnswer(stateDirectory(document)).look();
  return { ...(answer && { part: partOf(answer) }), ...(reason !== undefined && { reason }) };
}

function partOf(answer: PlanAnswer): RegionPart {
  return { name: nameOf(answer), config: answer.config };
}

function nameOf({ version }: PlanAnswer): string {
  return `region plan ${version}`;
}

function fewOf(sentences: readonly string[]): readonly string[] {
  if (sentences.length <= MOST_SENTENCES) return sentences;
  const shown = sentences.slice(0, MOST_SENTENCES - 1);
  return [...shown, `and ${sentences.length - shown.length} more`];
}

/** Or why it can't be read. */
function readConfig(file: string): ConfigText | string {
  try {
    const text = readFileSync(file, 'utf8');
    return { file, text, document: new ConfigDocument(text) };
  } catch (error) {
    return `${file}: can't be read: ${messageOf(error)}`;
  }
}

function unreadable(at: number, reason: string): PlanAttempt {
  return { at, faults: [reason], conflicts: [] };
}

const DEFAULT_STATE = '/var/lib/rackboot';

function keptFile(state: string): string {
  return join(state, 'last-good.yaml');
}

/** `rack.state` of a file that may be broken elsewhere. */
function stateDirectory(document: ConfigDocument | undefined): string {
  const config = document?.value;
  const rack = isMapping(config) ? config['rack'] : undefined;
  const state = isMapping(rack) ? rack['state'] : undefined;
  return typeof state === 'string' ? state : DEFAULT_STATE;
}
