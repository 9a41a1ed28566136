import { HEADER } from './query.ts';
import { CLASS_IN, TYPE } from './record-type.ts';

/** OPT without options: root, type, class, TTL, RDLENGTH. */
const OPT_SIZE = 11;
/** What fits any path unfragmented (DNS flag day 2020): forged fragments are the way past ports and ids. */
const UDP_SIZE = 1232;
const FLAG_RD = 0x01;
const FLAG_AD = 0x20;
const FLAG_CD = 0x10;

/** A question for a recursive server. */
export interface QuestionWishes {
  /** Wire form, spelled as it is to leave. */
  readonly name: string;
  readonly type: number;
  /** Without it no OPT is sent. */
  readonly edns: boolean;
  /** The DO bit (RFC 3225); needs `edns`. */
  readonly dnssecOk: boolean;
  /** The CD bit (RFC 4035 §3.2.2). */
  readonly checkingDisabled: boolean;
  /** Says that AD in the response is understood (RFC 6840 §5.7). */
  readonly authenticData: boolean;
}

/** The question as a message with id 0. Nothing of the client is in it: no EDNS options, so no client subnet (RFC 7871). */
export function encodeQuestion(wishes: QuestionWishes): Buffer {
  const { name, edns } = wishes;
  const end = HEADER + name.length + 4;
  const message = Buffer.alloc(end + (edns ? OPT_SIZE : 0));
  message[2] = FLAG_RD;
  message[3] = (wishes.authenticData ? FLAG_AD : 0) | (wishes.checkingDisabled ? FLAG_CD : 0);
  message[5] = 1;
  message.write(name, HEADER, 'latin1');
  message.writeUInt16BE(wishes.type, end - 4);
  message.writeUInt16BE(CLASS_IN, end - 2);
  if (!edns) return message;
  message[11] = 1;
  message.writeUInt16BE(TYPE.OPT, end + 1);
  message.writeUInt16BE(UDP_SIZE, end + 3);
  message[end + 7] = wishes.dnssecOk ? 0x80 : 0;
  return message;
}
