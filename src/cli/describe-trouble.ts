import type { Trouble } from '../story/trouble.ts';

/** What is wrong, why it probably is, and what to do: three lines. */
export function* describeTrouble({ kind, isNote, what, why, next }: Trouble): Generator<string> {
  yield `${isNote ? 'NOTE' : 'TROUBLE'} ${kind}: it ${what}`;
  yield `  probably: ${why}`;
  yield `  next: ${next}`;
}
