import { StreamError } from './stream-error.ts';
import { objectOf, parseStreamJson, shown, updatedAt } from './stream-json.ts';
import { streamPath } from './stream-path.ts';

/** Real indexes name some three; each is a file to fetch. */
const MOST_CONTENTS = 64;

/** One products file that an index names. */
interface IndexEntry {
  readonly contentId: string;
  /** Relative to the base of the stream. */
  readonly path: string;
}

export interface IndexFile {
  readonly entries: readonly IndexEntry[];
  /** When it was written, in Unix milliseconds; absent when it does not say. */
  readonly updated?: number;
}

/**
 * `streams/v1/index.json`, format "index:1.0": the products files with images in them. Others (`image-ids`, of clouds) are left
 * out. Throws StreamError; `file` names it.
 */
export function readIndex(text: string, file: string): IndexFile {
  const tree = parseStreamJson(text, file);
  const { format, index } = tree;
  if (format !== 'index:1.0') throw new StreamError(`${file}: expected format index:1.0, found ${shown(format)}`);
  const contents = Object.entries(objectOf(index, `${file}: index`));
  if (contents.length > MOST_CONTENTS) {
    throw new StreamError(`${file}: expected at most ${MOST_CONTENTS} contents, found ${contents.length}`);
  }
  const seen = new Set<string>();
  const entries = contents.flatMap(([contentId, value]): IndexEntry[] => {
    const where = `${file}: ${shown(contentId)}`;
    const entry = objectOf(value, where);
    if (entry['format'] !== 'products:1.0' || entry['datatype'] === 'image-ids') return [];
    const path = streamPath(entry['path'], `${where}: path`);
    if (seen.has(path)) throw new StreamError(`${where}: expected a products file of its own, found ${path} again`);
    seen.add(path);
    return [{ contentId, path }];
  });
  const updated = updatedAt(tree);
  return { entries, ...(updated !== undefined && { updated }) };
}
