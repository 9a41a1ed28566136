import type { Ip4 } from '../addr/ip4.ts';
import { accountOf, type Account } from '../dhcp/account.ts';
import { createSurvey } from '../rack/surroundings.ts';
import { systemClock } from '../system/clock.ts';
import { encodeDhcp, type DhcpMessage } from '../wire/dhcp/packet.ts';
import { WireError } from '../wire/wire-error.ts';
import { describeAccount } from './describe-account.ts';
import { describeAnswers, questionsOf } from './explain-capture.ts';
import { hear } from './hear.ts';
import { packetOf, refuseWords, WordsError, writesAloneFrom, type MachineWords } from './machine-words.ts';
import { openStage, type StageGround, type StageOptions } from './open-stage.ts';

export interface ExplainOptions extends MachineWords, StageOptions {
  readonly json: boolean;
  readonly interface?: string | undefined;
  /** A capture whose machines are asked about, instead of one in words. */
  readonly pcap?: string | undefined;
  /** Paths that it asks for by TFTP or HTTP, beside those of its boot. */
  readonly fetch?: readonly string[] | undefined;
}

const WRONG_USAGE = 2;

/**
 * `rackboot explain`: what a machine would be answered by the file as it is now, and by which rule. Exit code 1 when it
 * would get nothing. Leases are those on disk, read without a touch, daemon or not: the daemon's own lists leave out who had
 * an address last. What was offered or declined within the last minutes is in its memory only, and not looked at.
 */
export function explain(
  options: ExplainOptions,
  out: (line: string) => void,
  ground: StageGround = { surroundings: createSurvey()(), clock: systemClock },
): number {
  try {
    return explainWords(options, out, ground);
  } catch (error) {
    if (!(error instanceof WordsError)) throw error;
    out(error.message);
    return WRONG_USAGE;
  }
}

function explainWords(options: ExplainOptions, out: (line: string) => void, ground: StageGround): number {
  if (options.pcap !== undefined) refuseWords(options);
  const capture = options.pcap === undefined ? undefined : questionsOf(options.pcap);
  const packet = capture ? undefined : packetOf(options);
  const stage = openStage(options, ground);
  if (!stage.plan) {
    for (const fault of stage.notes) out(fault);
    return 1;
  }
  const { plan, leases, boots, notes, ownAddress } = stage;
  const aloneFrom = writesAloneFrom(options);
  const account = (bytes: Uint8Array, giaddr: Ip4): Account => {
    const heard = hear(plan, bytes, { interface: options.interface, giaddr, aloneFrom, ownAddress });
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
  const bytes = encoded(packet);
  const told = account(bytes, packet.giaddr);
  if (json) out(JSON.stringify({ ...told, packet: Buffer.from(bytes).toString('hex'), notes }));
  else for (const line of describeAccount(told, { mac, notes })) out(line);
  return told.gets ? 0 : 1;
}

/** What a wire without fragments takes of it. */
const LARGEST = 1_472;

function encoded(packet: DhcpMessage): Uint8Array {
  const buffer = new Uint8Array(LARGEST);
  try {
    return buffer.subarray(0, encodeDhcp(packet, buffer));
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new WordsError(`--option: expected what one packet of ${LARGEST} bytes holds, found more`);
  }
}
