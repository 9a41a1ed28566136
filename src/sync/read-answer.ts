import type * as z from 'zod';

import { refusalSchema } from '../contract/rack-words.ts';
import { shown } from '../images/streams/stream-json.ts';
import { RegionFault } from './region-fault.ts';
import type { RawAnswer } from './transport.ts';

/**
 * What an answer says. Throws RegionFault when the region did not do what it was asked to, or says something else. `hide` takes out of
 * its words what is not to be seen.
 */
export function readAnswer<S extends z.ZodType>(
  { status, text, retryAfter = 0 }: RawAnswer,
  schema: S,
  hide: (text: string) => string,
): z.output<S> {
  if (status !== 200 && status !== 201) {
    const words = hide(reasonIn(text));
    throw new RegionFault(kindOf(status), `answers ${status}${words === '' ? '' : `: ${words}`}`, retryAfter * 1000);
  }
  const result = schema.safeParse(parse(text));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue?.path.map(String).join('.') ?? '';
  throw new RegionFault('away', `answers what we can't use: ${shown(`${where}: ${issue?.message ?? ''}`)}`);
}

function kindOf(status: number): RegionFault['kind'] {
  if (status === 401 || status === 403) return 'unknown';
  return status === 400 || status === 409 || status === 413 || status === 422 ? 'rejected' : 'away';
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RegionFault('away', 'answers what is no JSON');
  }
}

/** A region says why; what something else says is not worth the line. */
function reasonIn(text: string): string {
  try {
    const { success, data } = refusalSchema.safeParse(JSON.parse(text));
    return success ? shown(data.error) : '';
  } catch {
    return '';
  }
}
