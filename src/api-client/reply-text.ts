import { layOutJson } from './json-layout.ts';
import { plainJson, plainText } from './plain-text.ts';

/** What came back. */
export interface ReplyBody {
  /** Content-Type; "" when it said none. */
  readonly type: string;
  readonly body: Uint8Array;
}

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\b/i;

/** For a program: JSON with four blanks, in the order in which the server said it; anything else to the byte. */
export function bytesOf({ type, body }: ReplyBody): Uint8Array {
  const laidOut = JSON_TYPE.test(type) ? layOutJson(textOf(body) ?? '') : undefined;
  return laidOut === undefined ? body : Buffer.from(`${laidOut}\n`);
}

/** For whoever sits at a terminal, without a line's end at its end; undefined when it is no text. */
export function shownReply({ type, body }: ReplyBody): string | undefined {
  const text = textOf(body);
  if (text === undefined) return undefined;
  const laidOut = JSON_TYPE.test(type) ? layOutJson(text) : undefined;
  return laidOut === undefined ? plainText(text.replaceAll('\r\n', '\n')).replace(/\n+$/, '') : plainJson(laidOut);
}

function textOf(body: Uint8Array): string | undefined {
  if (body.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return undefined;
  }
}
