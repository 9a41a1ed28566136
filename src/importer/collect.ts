import { findGarbage } from '../images/collect-garbage.ts';
import { isPublished, type SourceRow } from '../images/image-row.ts';
import type { IndexGap } from '../images/image-store.ts';
import { faultOf } from '../images/import-fault.ts';
import type { ImageAnswer } from '../service/letters.ts';
import type { EventSink } from '../service/service.ts';
import type { OpenImages } from './image-place.ts';

export interface CollectQuestion {
  /** Files that the Plan in force names, by their path on disk. */
  readonly named: ReadonlySet<string>;
  /** The sources of the Plan, by their names. */
  readonly sources: readonly string[];
  /** Unix milliseconds. */
  readonly now: number;
}

/**
 * Takes away what nobody uses. After an index was begun anew that is nothing, until every source was imported whole; what then
 * is of no image may have been added by hand, and goes to quarantine for a while. Throws what the index says.
 */
export function collectGarbage(
  { shelf, store }: OpenImages,
  { named, sources, now }: CollectQuestion,
  events: EventSink,
): ImageAnswer {
  const { images: rows, sources: tried, gap } = store.load();
  const isHeld = gap !== undefined && !isReadWhole(gap, sources, tried);
  const garbage = findGarbage({ rows, shelf, named, now, isHeld });
  // Out of the index first: a file that nobody knows of is harmless, a version without its files is not
  if (garbage.rows.length > 0) store.write({ gone: garbage.rows });
  const refused: string[] = [];
  const [gone, setAside] = gap ? [garbage.files, garbage.strays] : [[...garbage.files, ...garbage.strays], []];
  const removed = gone.filter(({ sha256 }) => attempt(() => shelf.remove(sha256), refused));
  const aside = setAside.filter(({ sha256 }) => attempt(() => shelf.quarantine(sha256), refused));
  const old = garbage.leftovers.filter(({ path }) => attempt(() => shelf.discard(path), refused));
  for (const sha256 of garbage.parts) attempt(() => shelf.dropPart(sha256), refused);
  const files = removed.length + old.length;
  const bytes = [...removed, ...old].reduce((sum, { size }) => sum + size, 0);
  if (files + aside.length > 0) {
    events.emit({ kind: 'image.removed', files, bytes, ...(aside.length > 0 && { setAside: aside.length }) });
  }
  if (gap && !isHeld && garbage.isAllKnown && aside.length === setAside.length) {
    store.write({ closesGap: true });
    events.emit({ kind: 'image.removal-resumed' });
  }
  const waiting = rows.filter((row) => !isPublished(row)).length - garbage.rows.length;
  return {
    isDone: refused.length === 0,
    lines: [
      `${files} files removed, ${bytes} bytes`,
      ...(waiting > 0 ? [`${waiting} versions are kept for a while, for machines that were told of them`] : []),
      ...(aside.length > 0 ? [`${aside.length} files that no image has are in quarantine, for 30 days`] : []),
      ...(isHeld ? [whyHeld(gap, sources)] : []),
      ...(refused[0] === undefined ? [] : [`${refused.length} files could not be removed: ${refused[0]}`]),
    ],
  };
}

function isReadWhole(gap: IndexGap, sources: readonly string[], tried: readonly SourceRow[]): boolean {
  const good = new Map(tried.map(({ name, goodAt }) => [name, goodAt ?? Number.NEGATIVE_INFINITY]));
  return sources.length > 0 && sources.every((name) => (good.get(name) ?? Number.NEGATIVE_INFINITY) >= gap.since);
}

function whyHeld({ since, reason }: IndexGap, sources: readonly string[]): string {
  const until =
    sources.length > 0
      ? 'whole files stay until every source was imported whole'
      : 'whole files stay, as there is no source that could tell whose they are';
  return `the index of images was begun anew at ${new Date(since).toISOString()} (${reason}): ${until}`;
}

/** Whether it went well. One that can't be removed must not keep the others. */
function attempt(work: () => void, refused: string[]): boolean {
  try {
    work();
    return true;
  } catch (error) {
    const fault = faultOf(error);
    if (fault === undefined) throw error;
    refused.push(fault);
    return false;
  }
}
