import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { parseDocument } from 'yaml';

import type { PlanAnswer } from '../contract/rack-words.ts';
import { compilePlan } from '../plan/compile-plan.ts';
import { formatFault } from '../plan/fault.ts';
import type { Plan } from '../plan/plan.ts';
import type { RegionPart } from '../plan/region-document.ts';
import type { InterfaceAddress } from '../plan/surroundings.ts';
import { replaceFile } from '../system/replace-file.ts';
import { messageOf } from '../system/message-of.ts';
import { KeptAnswer } from './kept-answer.ts';
import { createSurvey } from './surroundings.ts';

/** One reading of the file. Without a `plan` it can't be served. */
export interface PlanAttempt {
  /** Unix milliseconds. */
  readonly at: number;
  readonly plan?: Plan;
  /** A line each, with file, line and column. */
  readonly faults: readonly string[];
  /** Those of `faults` that are in what the region says, and not in what is on disk. */
  readonly regionFaults: readonly string[];
  /** Where the region says something else than the file, a sentence each. */
  readonly conflicts: readonly string[];
  /** What the region says, where the Plan follows one that has said something. */
  readonly answer?: PlanAnswer;
  /** The file's text, when it could be read. */
  readonly text?: string;
}

/** Where Plans come from: the file, and what the region last said. */
export class PlanSource {
  readonly #file: string;
  readonly #survey = createSurvey();
  #answer: PlanAnswer | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  localAddresses(): readonly InterfaceAddress[] {
    return this.#survey().interfaces;
  }

  /** Before the first Plan: takes up what the region said before. `lost`: where that can't be read. */
  openAnswer(lost: (reason: string) => void): void {
    this.#answer = new KeptAnswer(stateDirectory(this.#file)).read(lost);
  }

  /**
   * Reads and compiles the file as it is now, against this machine as it is now. `running`: the Plan in force. `answer`:
   * what the region says; by default what it said when that was last kept.
   */
  compile(now: number, running?: Plan, answer = this.#answer): PlanAttempt {
    return this.#compileFile(this.#file, now, answer, running);
  }

  /** The text last kept by `keep`: what to serve when the file is broken at a start. */
  compileKept(now: number): PlanAttempt {
    return this.#compileFile(keptFile(stateDirectory(this.#file)), now, this.#answer);
  }

  /** The file as if no region had said anything: what to serve when the two no longer go together at a start. */
  compileAlone(now: number): PlanAttempt {
    return this.#compileFile(this.#file, now, undefined);
  }

  /** Puts a text that was taken up beside the rack's state, whole or not at all, and so what the region says. */
  keep({ plan, text, answer }: PlanAttempt): void {
    if (!plan) return;
    if (text !== undefined) replaceFile(keptFile(plan.rack.state), text);
    if (answer === undefined || answer === this.#answer) return;
    // In force it is in any case: reloads must not lose it for a disk that is full
    this.#answer = answer;
    new KeptAnswer(plan.rack.state).write(answer);
  }

  #compileFile(file: string, now: number, answer: PlanAnswer | undefined, running?: Plan): PlanAttempt {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      return {
        at: now,
        faults: [`${file}: can't be read: ${messageOf(error)}`],
        regionFaults: [],
        conflicts: [],
      };
    }
    const region = answer && partOf(answer);
    const surroundings = { ...this.#survey(running), directory: dirname(resolve(this.#file)) };
    const { plan, faults, conflicts } = compilePlan(text, file, surroundings, region);
    return {
      at: now,
      text,
      faults: faults.map(formatFault),
      regionFaults: faults.filter((fault) => fault.file === region?.name && !fault.mayPass).map(formatFault),
      conflicts,
      ...(plan && { plan }),
      ...(answer && plan?.region && { answer }),
    };
  }
}

/** What a rack with this file last took of its region, as faults call it; undefined where there is none. */
export function lookAtRegionPart(file: string): RegionPart | undefined {
  const answer = new KeptAnswer(stateDirectory(file)).look();
  return answer && partOf(answer);
}

function partOf({ version, config }: PlanAnswer): RegionPart {
  return { name: `region plan ${version}`, config };
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
