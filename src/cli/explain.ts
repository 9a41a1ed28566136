import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Ip4 } from '../addr/ip4.ts';
import { accountOf, type Account } from '../dhcp/account.ts';
import { readBootsAside } from '../boots/read-boots-aside.ts';
import { readLeasesAside, type LeasesAside } from '../leases/read-leases-aside.ts';
import { compilePlan } from '../plan/compile-plan.ts';
import { formatFault } from '../plan/fault.ts';
import type { Plan } from '../plan/plan.ts';
import type { Surroundings } from '../plan/surroundings.ts';
import { createSurvey } from '../rack/surroundings.ts';
import { systemClock, type Clock } from '../system/clock.ts';
import { encodeDhcp, type DhcpMessage } from '../wire/dhcp/packet.ts';
import { RefusedError } from './control-client.ts';
import { describeAccount } from './describe-account.ts';
import { describeAnswers, questionsOf } from './explain-capture.ts';
import { hear } from './hear.ts';
import { packetOf, refuseWords, WordsError, type MachineWords } from './machine-words.ts';

export interface ExplainOptions extends MachineWords {
  readonly config: string;
  readonly json: boolean;
  readonly interface?: string | undefined;
  /** A capture whose machines are asked about, instead of one in words. */
  readonly pcap?: string | undefined;
  /** Paths that it asks for by TFTP or HTTP, beside those of its boot. */
  readonly fetch?: readonly string[] | undefined;
}

/** This machine, so that tests can have another. */
export interface ExplainGround {
  readonly surroundings: Surroundings;
  readonly clock: Clock;
}

const WRONG_USAGE = 2;
const NO_LEASES: LeasesAside = { leases: [] };

/**
 * `rackboot explain`: what a machine would be answered by the file as it is now, and by which rule. Exit code 1 when it
 * would get nothing. Leases are those on disk, read without a touch, daemon or not: the daemon's own lists leave out who had
 * an address last. What was offered or declined within the last minutes is in its memory only, and not looked at.
 */
export function explain(
  options: ExplainOptions,
  out: (line: string) => void,
  ground: ExplainGround = { surroundings: createSurvey()(), clock: systemClock },
): number {
  try {
    return explainWords(options, out, ground);
  } catch (error) {
    if (!(error instanceof WordsError)) throw error;
    out(error.message);
    return WRONG_USAGE;
  }
}

function explainWords(options: ExplainOptions, out: (line: string) => void, ground: ExplainGround): number {
  if (options.pcap !== undefined) refuseWords(options);
  const capture = options.pcap === undefined ? undefined : questionsOf(options.pcap);
  const packet = capture ? undefined : packetOf(options);
  const { plan, faults } = readPlan(options.config, ground);
  if (!plan) {
    for (const fault of faults) out(fault);
    return 1;
  }
  const leases = readState(plan, 'leases.db', (file) => readLeasesAside(file) ?? NO_LEASES);
  const boots = readState(plan, 'boots.db', (file) => readBootsAside(file, ground.clock.now()));
  const notes =
    leases.damage === undefined ? faults : [...faults, `its leases may not be as they are: ${leases.damage}`];
  const ownAddress = ground.surroundings.interfaces.find(({ name }) => name !== 'lo')?.address;
  const account = (bytes: Uint8Array, giaddr: Ip4): Account => {
    const heard = hear(plan, bytes, { interface: options.interface, giaddr, ownAddress });
    return accountOf(plan, { ...leases, boots }, heard, ground.clock, options.fetch);
  };
  if (packet) return explainMachine(options, out, { packet, notes, account });
  const answers = [...describeAnswers(capture ?? [], ({ bytes, packet: { giaddr } }) => account(bytes, giaddr))];
  if (options.json) out(JSON.stringify({ answers: answers.map((answer) => answer.account), notes }));
  else {
    for (const note of notes) out(`NOTE ${note}`);
    for (const { line } of answers) out(line);
    if (answers.length === 0) out('no DISCOVER and no BOOTP request in this capture');
  }
  return answers.length > 0 && answers.every(({ gets }) => gets) ? 0 : 1;
}

interface Question {
  readonly packet: DhcpMessage;
  readonly notes: readonly string[];
  readonly account: (bytes: Uint8Array, giaddr: Ip4) => Account;
}

function explainMachine(
  { json, mac = '' }: ExplainOptions,
  out: (line: string) => void,
  { packet, notes, account }: Question,
): number {
  const buffer = new Uint8Array(1500);
  const bytes = buffer.subarray(0, encodeDhcp(packet, buffer));
  const told = account(bytes, packet.giaddr);
  if (json) out(JSON.stringify({ ...told, packet: Buffer.from(bytes).toString('hex'), notes }));
  else for (const line of describeAccount(told, { mac, notes })) out(line);
  return told.gets ? 0 : 1;
}

function readPlan(
  file: string,
  { surroundings }: ExplainGround,
): { readonly plan?: Plan; readonly faults: readonly string[] } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new RefusedError(`${file}: expected a readable file, found ${codeOf(error)}`);
  }
  const { plan, faults } = compilePlan(text, file, surroundings);
  return { ...(plan && { plan }), faults: faults.map(formatFault) };
}

function readState<T>({ rack }: Plan, name: string, read: (file: string) => T): T {
  const file = join(rack.state, name);
  try {
    return read(file);
  } catch (error) {
    throw new RefusedError(`${file}: it can't be read (${codeOf(error)}); ask as root, or as rackboot's user`);
  }
}

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code);
  return error instanceof Error ? error.message : String(error);
}
