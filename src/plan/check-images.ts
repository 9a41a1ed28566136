import { posix } from 'node:path';

import type { ImagesDraft, SourceDraft } from './config-draft.ts';
import type { FaultBook } from './fault-book.ts';
import type { Path } from './fault.ts';
import { imageShelf } from './stored-image.ts';
import type { ImageSettings, ImageSource } from './plan.ts';
import type { Surroundings } from './surroundings.ts';

/** What images are fetched, from where; a source with a fault is out of service. `state`: undefined when it has a fault. */
export function checkImages(
  book: FaultBook,
  draft: ImagesDraft,
  state: string | undefined,
  surroundings: Surroundings,
): ImageSettings | undefined {
  const { interval, parallel, bandwidth, 'boot-resources': bootResources } = draft;
  if (state === undefined || interval === undefined || parallel === undefined) return undefined;
  const seen = new Map<string, number>();
  return {
    shelf: imageShelf(state),
    sources: draft.sources.flatMap((source, i) => checkSource(book, source, i, seen, surroundings)),
    ...(interval !== 'off' && { intervalSeconds: interval }),
    ...(bandwidth !== undefined && { bandwidth }),
    ...(bootResources !== undefined && { bootResources }),
    parallel,
  };
}

function checkSource(
  book: FaultBook,
  draft: SourceDraft,
  index: number,
  seen: Map<string, number>,
  surroundings: Surroundings,
): ImageSource[] {
  const path = ['images', 'sources', index];
  const { url, keyring, 'keyring-data': keyringData, keep, proxy, selections = [] } = draft;
  const name = draft.name ?? (url === undefined ? undefined : defaultName(url));
  const first = name === undefined ? undefined : seen.get(name);
  if (name !== undefined && first !== undefined) {
    const place = draft.name === undefined ? [...path, 'url'] : [...path, 'name'];
    book.report(place, `a name of its own (source ${first + 1} has it)`, { found: name });
  }
  if (name !== undefined) seen.set(name, first ?? index);
  if (!book.touches(path)) checkTrust(book, draft, path);
  if (keyring !== undefined && !surroundings.fileExists(keyring)) {
    book.report([...path, 'keyring'], `a readable file ${keyring}`, { found: 'none', mayPass: true });
  }
  if (name === undefined || url === undefined || keep === undefined || book.touches(path)) return [];
  return [
    {
      name,
      url,
      keep,
      selections,
      ...(keyring !== undefined && { keyring }),
      ...(keyringData !== undefined && { keyringData }),
      ...(proxy !== undefined && { proxy }),
    },
  ];
}

/** By whom it is vouched for must be said in one way. */
function checkTrust(book: FaultBook, draft: SourceDraft, path: Path): void {
  const { keyring, 'keyring-data': data, unsigned } = draft;
  const keys = ['keyring', 'keyring-data', 'unsigned'];
  const said = [keyring !== undefined, data !== undefined, unsigned === true];
  const [first, second] = keys.filter((_, i) => said[i]);
  if (first !== undefined && second === undefined) return;
  const expected = 'one of keyring, keyring-data (the keys of who signs it) and unsigned: true';
  book.report(second === undefined ? path : [...path, second], expected, {
    scope: 'entry',
    ...(second !== undefined && { at: 'key', found: `${first} and ${second}` }),
  });
}

/** "images.maas.io/ephemeral-v3/stable"; of a directory its path. */
function defaultName(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return protocol === 'file:' ? pathname : posix.join(host, pathname).replace(/\/$/, '');
}
