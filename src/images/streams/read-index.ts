import { StreamError } from './stream-error.ts';
import { objectOf, parseStreamJson, shown } from './stream-json.ts';
import { streamPath } from './stream-path.ts';

/** Real indexes name some three; each is a file to fetch. */
const MOST_CONTENTS = 64;

/** One products file that an index names. */
export interface IndexEntry {
  readonly contentId: string;
  /** Relative to the base of the stream. */
  readonly path: string;
}

/**
 * `streams/v1/index.json`, format "index:1.0": the products files with images in them. Others (`image-ids`, of clouds) are left
 * out. Throws StreamError; `file` names it.
 */
export function readIndex(text: string, file: string): IndexEntry[] {
  const { format, index } = parseStreamJson(text, file);
  if (format !== 'index:1.0') throw new StreamError(`${file}: expected format index:1.0, found ${shown(format)}`);
  const contents = Object.entries(objectOf(index, `${file}: index`));
  if (contents.length > MOST_CONTENTS) {
    throw new StreamError(`${file}: expected at most ${MOST_CONTENTS} contents, found ${contents.length}`);
  }
  const seen = new Set<string>();
  return contents.flatMap(([contentId, value]) => {
    const where = `${file}: ${shown(contentId)}`;
    const entry = objectOf(value, where);
    if (entry['format'] !== 'products:1.0' || entry['datatype'] === 'image-ids') return [];
    const path = streamPath(entry['path'], `${where}: path`);
    if (seen.has(path)) throw new StreamError(`${where}: expected a products file of its own, found ${path} again`);
    seen.add(path);
    return [{ contentId, path }];
  });
}
