import { compareVersions } from '../plan/image-choice.ts';
import type { ImageRow } from './image-row.ts';
import type { ImageChanges, StreamMarks, VersionMark } from './image-store.ts';
import type { StreamPlace, Stamp } from './streams/read-stream.ts';
import { imageKey } from './streams/select-versions.ts';
import { StreamError } from './streams/stream-error.ts';

/** A mirror whose clock is this far ahead would be behind itself as soon as it is set right: its times are not remembered. */
const MOST_AHEAD = 86_400_000;

export interface MarkStore {
  marks(): StreamMarks;
  write(changes: Pick<ImageChanges, 'newest' | 'stamps'>): void;
}

/**
 * Tells what is shown anew from what is new: a signature stays good for ever, and who stands between a rack and its mirror can go on
 * showing what it signed long ago. What was had of a stream is remembered by where it is: its source may be called otherwise
 * tomorrow, and its image be gone for a while. Another place is another stream, as an operator who turns to it wants what it has.
 * `rackboot images remove` forgets, for whoever means to go back.
 */
export class ReplayGuard {
  readonly #store: MarkStore;
  readonly #newest = new Map<string, string>();
  /** Images with a mark, whatever the stream. */
  readonly #marked = new Set<string>();
  readonly #stamps = new Map<string, number>();
  /** Of each source, by its name, where it is. */
  readonly #streams = new Map<string, string>();

  constructor(store: MarkStore) {
    this.#store = store;
    const { newest, stamps } = store.marks();
    for (const mark of newest) this.#note(mark);
    for (const { stream, place, updated } of stamps) this.#stamps.set(keyOf(stream, place), updated);
  }

  /** A source is at this place, and `here` is published of it. A rack of before there were marks has none of them yet. */
  meet(source: string, { origin, index }: StreamPlace, here: readonly ImageRow[]): void {
    this.#streams.set(source, origin.locate(index ?? ''));
    this.published(here.filter((row) => !this.#marked.has(imageKey(row))));
  }

  /** Machines are told of these from now on. */
  published(rows: readonly ImageRow[]): void {
    const newest = rows.flatMap((row) => this.#raise(row));
    if (newest.length > 0) this.#store.write({ newest });
  }

  /** The newest version of an image that ever came from a source's stream. */
  newest(source: string, image: string): string | undefined {
    return this.#newest.get(keyOf(this.#streams.get(source) ?? '', image));
  }

  /**
   * Throws StreamError when a file of a source's stream is older than the one that was read before, and none of its images (`offered`:
   * the newest version of each) is newer for it: a mirror that was set back may go on, and one that is shown anew can't.
   */
  demandCurrent(source: string, stamps: readonly Stamp[], offered: ReadonlyMap<string, string>): void {
    const stream = this.#streams.get(source) ?? '';
    const isNews = [...offered].some(([image, version]) => {
      const newest = this.newest(source, image);
      return newest !== undefined && compareVersions(version, newest) > 0;
    });
    if (isNews) return;
    for (const { place, updated } of stamps) {
      const before = this.#stamps.get(keyOf(stream, place));
      if (before === undefined || updated >= before) continue;
      throw new StreamError(
        `${place}: of ${timeOf(updated)}, and one of ${timeOf(before)} was read before: a mirror that lags, or someone who shows an old one anew ("rackboot images remove" of an image from it forgets that)`,
      );
    }
  }

  /** What was read is what the next must not be older than. `now`: Unix milliseconds. */
  remember(source: string, stamps: readonly Stamp[], now: number): void {
    const stream = this.#streams.get(source) ?? '';
    const fresh = stamps.filter(
      ({ place, updated }) => updated <= now + MOST_AHEAD && this.#stamps.get(keyOf(stream, place)) !== updated,
    );
    for (const { place, updated } of fresh) this.#stamps.set(keyOf(stream, place), updated);
    if (fresh.length > 0) this.#store.write({ stamps: fresh.map((stamp) => ({ stream, ...stamp })) });
  }

  #raise(row: ImageRow): VersionMark[] {
    const [stream, image] = [this.#streams.get(row.source), imageKey(row)];
    if (stream === undefined) return [];
    const before = this.#newest.get(keyOf(stream, image));
    if (before !== undefined && compareVersions(row.version, before) <= 0) return [];
    const mark = { stream, image, version: row.version };
    this.#note(mark);
    return [mark];
  }

  #note({ stream, image, version }: VersionMark): void {
    this.#newest.set(keyOf(stream, image), version);
    this.#marked.add(image);
  }
}

function keyOf(stream: string, what: string): string {
  return `${stream} ${what}`;
}

function timeOf(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
