import type { Account } from '../dhcp/account.ts';
import { askedOf } from '../dhcp/asked.ts';
import { FileWindow } from '../system/file-window.ts';
import { decodeDhcp, type DhcpPacket } from '../wire/dhcp/packet.ts';
import { readCapture, type CapturedDatagram } from '../wire/pcap.ts';
import { WireError } from '../wire/wire-error.ts';
import { formatMac, readMac } from '../addr/mac.ts';
import { RefusedError } from './control-client.ts';

const SERVER_PORT = 67;
/** xid and secs (RFC 2131 figure 1): what one machine's DISCOVERs differ in. */
const XID_AND_SECS = { start: 4, end: 10 };

/** A machine's question in a capture. */
export interface CapturedQuestion {
  readonly number: number;
  readonly mac: string;
  readonly packet: DhcpPacket;
  readonly bytes: Uint8Array;
}

/** The DISCOVERs and BOOTP requests of a capture, repeated ones once. Throws RefusedError. */
export function questionsOf(file: string): CapturedQuestion[] {
  const seen = new Set<string>();
  const questions: CapturedQuestion[] = [];
  for (const { number, port, bytes: view, isCut } of capturedIn(file)) {
    const packet = port === SERVER_PORT && !isCut ? decode(view) : undefined;
    if (!packet || packet.op !== 1 || !isQuestion(packet)) continue;
    const bytes = view.slice();
    const same = Buffer.from(bytes).fill(0, XID_AND_SECS.start, XID_AND_SECS.end).toString('hex');
    if (seen.has(same)) continue;
    seen.add(same);
    questions.push({ number, mac: formatMac(readMac(packet.chaddr, 0)), packet: decodeDhcp(bytes), bytes });
  }
  return questions;
}

/** One line for each question: the capture's number of it, who asks, and what it comes to. */
export function* describeAnswers(
  questions: readonly CapturedQuestion[],
  account: (question: CapturedQuestion) => Account,
): Generator<{ readonly gets: boolean; readonly line: string; readonly account: object }> {
  for (const question of questions) {
    const { number, mac } = question;
    const answer = account(question);
    const boot = answer.boot?.file === undefined ? '' : `, boots ${answer.boot.file}`;
    const why = answer.address === undefined ? '' : ` (${answer.address.why})`;
    const line = `${String(number).padStart(5)}  ${mac}, ${answer.asked ?? 'its message'}: ${answer.answer}${boot}${why}`;
    yield { gets: answer.gets, line, account: { number, mac, ...answer } };
  }
}

function isQuestion(packet: DhcpPacket): boolean {
  const asked = askedOf(packet);
  return asked === 'discover' || asked === 'bootp';
}

function decode(bytes: Uint8Array): DhcpPacket | undefined {
  try {
    return decodeDhcp(bytes);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** The datagrams of a capture, one at a time. Throws RefusedError. */
export function* capturedIn(file: string): Generator<CapturedDatagram> {
  let window: FileWindow | undefined;
  try {
    window = new FileWindow(file);
    if (!window.isFile) throw new RefusedError(`${file}: expected a file, found a pipe or something else that is none`);
    yield* readCapture(window);
  } catch (error) {
    if (error instanceof WireError) throw new RefusedError(`${file}: ${error.message}`);
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    if (code === undefined) throw error;
    throw new RefusedError(`${file}: expected a readable file, found ${code}`);
  } finally {
    window?.close();
  }
}
