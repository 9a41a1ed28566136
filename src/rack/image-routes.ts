import { PassThrough } from 'node:stream';
import { statSync } from 'node:fs';
import type { Context } from 'koa';

import { isPublished, sizeOf, type ImageRow } from '../images/image-row.ts';
import { imageIndex, readImageIndex } from '../images/open-image-store.ts';
import type { ImportProgress } from '../images/progress.ts';
import type { Plan } from '../plan/plan.ts';
import { imageShelf, shelvedFile } from '../plan/stored-image.ts';
import type { ImageAnswer, ImageOrder } from '../service/letters.ts';
import type { Rack } from './rack.ts';

/** A version as `rackboot images --json` prints it. `since`: ISO 8601. */
export interface ImageLine {
  readonly os: string;
  readonly release: string;
  readonly arch: string;
  readonly subarch: string;
  readonly label: string;
  readonly version: string;
  readonly bytes: number;
  /** `published`: machines get it; `old`: only those that were told of it before; `broken`: a file of it is gone, or cut short. */
  readonly state: 'published' | 'old' | 'broken';
  readonly since: string;
  readonly source: string;
  /** Boot entries that are made of it now. */
  readonly entries: readonly string[];
  /** Of each file, its name, checksum and size. */
  readonly files: ImageRow['files'];
}

/** How a source is. Times are ISO 8601. `troubles`: what is not here of it, and why. */
interface SourceLine {
  readonly name: string;
  readonly tried?: string;
  readonly good?: string;
  readonly troubles: readonly string[];
}

export interface ImageList {
  readonly images: readonly ImageLine[];
  readonly sources: readonly SourceLine[];
  /** The index was begun anew beside files that are here: none is removed before all is accounted for. `since`: ISO 8601. */
  readonly held?: { readonly since: string; readonly reason: string };
  /** The import that runs. */
  readonly progress?: ImportProgress;
}

/** One line of the answer to an import: how far it is, or in the end what came of it. */
export type ImportLine = { readonly progress: ImportProgress } | { readonly answer: ImageAnswer };

/** `GET /images` */
export function listImages(context: Context, rack: Rack): void {
  const { plan } = rack;
  const memory = readImageIndex(imageIndex(plan.rack.state));
  if (!memory) {
    context.status = 503;
    context.body = 'the index of images is being written: ask again\n';
    return;
  }
  const { images, sources, gap } = memory;
  const tried = new Map(sources.map((source) => [source.name, source]));
  const names = new Set([...(plan.images?.sources.map(({ name }) => name) ?? []), ...tried.keys()]);
  const list: ImageList = {
    images: images.map((row) => lineOf(plan, row)).toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1)),
    sources: [...names].map((name): SourceLine => {
      const { triedAt, goodAt, troubles = ['has not been asked yet'] } = tried.get(name) ?? {};
      return {
        name,
        ...(triedAt !== undefined && { tried: new Date(triedAt).toISOString() }),
        ...(goodAt !== undefined && { good: new Date(goodAt).toISOString() }),
        troubles,
      };
    }),
    ...(gap && { held: { since: new Date(gap.since).toISOString(), reason: gap.reason } }),
    ...(rack.images.progress && { progress: rack.images.progress }),
  };
  context.body = list;
}

/** `POST /images/import?only=…&dry`: answers with lines of JSON as it goes on. It goes on too when nobody listens any more. */
export function runImport(context: Context, rack: Rack): void {
  const { only, dry } = context.query;
  const stream = new PassThrough();
  const say = (line: ImportLine): void => {
    // Who does not read gets the end all the same
    if (stream.writableLength === 0 || 'answer' in line) stream.write(`${JSON.stringify(line)}\n`);
  };
  const stop = rack.images.follow((progress) => progress && say({ progress }));
  stream.on('close', stop);
  context.type = 'application/x-ndjson';
  context.body = stream;
  const order = { kind: 'import', isDryRun: dry !== undefined, ...(typeof only === 'string' && { only }) } as const;
  void finish();

  async function finish(): Promise<void> {
    const answer = await rack.manageImages(order);
    stop();
    say({ answer });
    stream.end();
  }
}

/** `POST /images/stop`, `gc`, `verify`, `reread`, and `remove?image=…` */
export async function manageImages(
  context: Context,
  rack: Rack,
  kind: Exclude<ImageOrder['kind'], 'import'>,
): Promise<void> {
  const { image } = context.query;
  if (kind !== 'remove') context.body = await rack.manageImages({ kind });
  else if (typeof image === 'string') context.body = await rack.manageImages({ kind, image });
  else {
    context.status = 400;
    context.body = 'expected image= and the name of an image\n';
  }
}

function lineOf(plan: Plan, row: ImageRow): ImageLine {
  const { os, release, arch, subarch, label, version, source, since, files } = row;
  const paths = new Set(files.map(({ sha256 }) => shelvedFile(imageShelf(plan.rack.state), sha256)));
  const isWhole = files.every(({ sha256, size }) => sizeAt(shelvedFile(imageShelf(plan.rack.state), sha256)) === size);
  const uses = ({ file }: { readonly file: string }): boolean => paths.has(file);
  const entries = plan.boot.entries.filter(({ kernel, others = {} }) =>
    [kernel, ...Object.values(others).map((other) => other.kernel)].some(uses),
  );
  return {
    os,
    release,
    arch,
    subarch,
    label,
    version,
    bytes: sizeOf(row),
    state: isWhole ? (isPublished(row) ? 'published' : 'old') : 'broken',
    since: new Date(since).toISOString(),
    source,
    entries: entries.map(({ name }) => name),
    files,
  };
}

/** Undefined where it can't be told. */
function sizeAt(path: string): number | undefined {
  try {
    return statSync(path).size;
  } catch {
    return undefined;
  }
}

function orderOf({ os, release, arch, subarch, label, version }: ImageLine): string {
  return [os, release, arch, subarch, label, version].join(' ');
}
