import type { Trouble } from '../story/trouble.ts';
import { plainText } from '../wire/plain-text.ts';

/** What is wrong, why it probably is, and what to do: three lines. */
export function* describeTrouble({ kind, isNote, what, why, next }: Trouble): Generator<string> {
  yield `${isNote ? 'NOTE' : 'TROUBLE'} ${kind}: it ${plainText(what)}`;
  yield `  probably: ${plainText(why)}`;
  yield `  next: ${plainText(next)}`;
}
