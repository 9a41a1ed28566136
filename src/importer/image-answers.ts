import { BY_HAND, type ImageRow } from '../images/image-row.ts';
import type { ImportSource } from '../images/import-desk.ts';
import type { ImportReport } from '../images/import-images.ts';
import { imageKey } from '../images/streams/select-versions.ts';
import type { SpoiltFile } from '../images/verify-files.ts';
import type { ImageAnswer } from '../service/letters.ts';

export function no(...lines: readonly string[]): ImageAnswer {
  return { isDone: false, lines };
}

export function answerOf({ published, bytes, troubles }: ImportReport, isDryRun: boolean): ImageAnswer {
  const lines = published.map(
    (row) => `${imageKey(row)} ${row.version} ${isDryRun ? 'would come' : 'is here'} from ${row.source}`,
  );
  const sum = `${published.length} versions, ${bytes} bytes ${isDryRun ? 'to fetch' : 'fetched'}`;
  return {
    isDone: troubles.length === 0,
    lines: [...lines, ...troubles.map(({ source, reason }) => `${source}: ${reason}`), sum],
  };
}

export function removalOf(row: ImageRow): string {
  const kept = `${imageKey(row)} ${row.version} is told of no more; its files go an hour from now`;
  return row.source === BY_HAND
    ? kept
    : `${kept}, and the next import brings it back unless the selections of ${row.source} leave it out`;
}

export function spoilOf({ file, rows, quarantine }: SpoiltFile): string {
  const what = `${rows.map((row) => `${imageKey(row)} ${row.version}`).join(', ')}: ${file.name} ${file.sha256}`;
  const next = rows.every(({ source }) => source === BY_HAND) ? 'add it again' : 'it is fetched again';
  return `${what} is ${quarantine === undefined ? 'gone' : `spoilt, set aside as ${quarantine}`}; ${next}`;
}

export function unknownSource(sources: readonly ImportSource[], word: string): string {
  const names = sources.map(({ name }, i) => `${i + 1} ${name}`).join(', ');
  return `no source is called ${word}: expected ${names === '' ? 'none, as the file has none' : `one of ${names}`}`;
}
