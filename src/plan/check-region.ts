import { posix } from 'node:path';

import type { ConfigDraft } from './config-draft.ts';
import type { FaultBook } from './fault-book.ts';
import type { RegionSettings } from './plan.ts';
import type { Surroundings } from './surroundings.ts';

/** Who is followed; 'none': nobody. Undefined when that is not known. */
export function checkRegion(
  book: FaultBook,
  { region, rack: { state }, subnets }: ConfigDraft,
  surroundings: Pick<Surroundings, 'fileExists'>,
): RegionSettings | 'none' | undefined {
  if (region === undefined) {
    if (subnets.length === 0) reportNoSubnets(book);
    return book.has(['region']) ? undefined : 'none';
  }
  const { url, ca, pin, outbox, credentials } = region;
  if (ca !== undefined && !surroundings.fileExists(ca)) {
    // While it is replaced, say: a rack that starts in that moment serves, and asks its region when it can
    book.report(['region', 'ca'], `a readable file ${ca}`, { found: 'none', scope: 'entry', mayPass: true });
  }
  if (url === undefined || outbox === undefined || state === undefined) return undefined;
  if (pin !== undefined && url.some((each) => each.startsWith('http:'))) {
    book.report(['region', 'pin'], 'a URL with https for what is pinned', { at: 'key', found: 'http' });
  }
  return {
    urls: url,
    credentials: credentials ?? posix.join(state, 'region.key'),
    ...(ca !== undefined && { ca }),
    ...(pin !== undefined && { pins: pin }),
    outbox: { bytes: outbox.size, seconds: outbox.age },
  };
}

function reportNoSubnets(book: FaultBook): void {
  const path = ['subnets'];
  if (book.has([]) || book.lost(path)) return;
  book.report(path, book.document.has(path) ? 'at least one subnet' : 'a list of subnets');
}
