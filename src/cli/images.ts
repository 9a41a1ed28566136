import type { ImageAnswer } from '../service/letters.ts';
import type { ImageLine, ImageList, ImportLine } from '../rack/image-routes.ts';
import { askDaemon, streamFromDaemon } from './control-client.ts';
import { ProgressLines, type Terminal } from './progress-lines.ts';

export interface ImageCommandOptions {
  readonly control: string;
  readonly json: boolean;
}

/** Wide enough for ubuntu/noble/amd64/hwe-24.04-edge. */
const NAME_WIDTH = 34;

/** `rackboot images`: what is here, and what is not and why. Exit code 1 when something is broken or lost, or a source had trouble. */
export async function images({ control, json }: ImageCommandOptions, out: (line: string) => void): Promise<number> {
  const list = await askDaemon<ImageList>(control, '/images');
  if (json) out(JSON.stringify(list));
  else for (const line of describe(list)) out(line);
  const isWell =
    list.images.every(({ state }) => state !== 'broken') &&
    list.sources.every(({ troubles }) => troubles.length === 0) &&
    !list.held;
  return isWell ? 0 : 1;
}

export interface ImportCommandOptions extends ImageCommandOptions {
  readonly only?: string;
  readonly isDryRun: boolean;
  readonly terminal: Terminal;
  /** Ends the watching; the import goes on. */
  readonly stop: AbortSignal;
}

/** `rackboot images import`: imports now, and shows how far it is. */
export async function importImages(options: ImportCommandOptions, out: (line: string) => void): Promise<number> {
  const query = new URLSearchParams();
  if (options.only !== undefined) query.set('only', options.only);
  if (options.isDryRun) query.set('dry', '');
  const progress = options.json ? undefined : new ProgressLines(options.terminal, out);
  const path = `/images/import?${query.toString()}`;
  for await (const text of streamFromDaemon(options.control, path, options.stop, 'POST')) {
    const line = JSON.parse(text) as ImportLine;
    if (options.json) out(text);
    if ('progress' in line) progress?.show(line.progress);
    else {
      progress?.end();
      if (!options.json) for (const sentence of line.answer.lines) out(sentence);
      return line.answer.isDone ? 0 : 1;
    }
  }
  progress?.end();
  if (!options.json) out('the import goes on; "rackboot images" shows how far it is');
  return 1;
}

/** `rackboot images stop`, `gc`, `verify` and `remove`. */
export async function manageImages(
  { control, json }: ImageCommandOptions,
  order: { readonly kind: 'stop' | 'gc' | 'verify' } | { readonly kind: 'remove'; readonly image: string },
  out: (line: string) => void,
): Promise<number> {
  const query = order.kind === 'remove' ? `?image=${encodeURIComponent(order.image)}` : '';
  const answer = await askDaemon<ImageAnswer>(control, `/images/${order.kind}${query}`, 'POST');
  if (json) out(JSON.stringify(answer));
  else for (const line of answer.lines) out(line);
  return answer.isDone ? 0 : 1;
}

function* describe({ images: rows, sources, held, progress }: ImageList): Generator<string> {
  for (const row of rows) yield describeImage(row);
  if (rows.length === 0) yield 'no image is here';
  for (const { name, tried, good, troubles } of sources) {
    const when = tried === undefined ? 'never asked' : `asked at ${tried}`;
    yield `source ${name}: ${when}, ${good === undefined ? 'never all well' : `last all well at ${good}`}`;
    for (const trouble of troubles) yield `  ${trouble}`;
  }
  if (held) {
    yield `the index of images was begun anew at ${held.since} (${held.reason}): no file is removed before every source was imported whole; images that were added by hand are to be added again`;
  }
  if (progress) yield `an import runs: ${progress.done} of ${progress.total} bytes`;
}

function describeImage({
  os,
  release,
  arch,
  subarch,
  label,
  version,
  bytes,
  state,
  since,
  source,
  entries,
}: ImageLine): string {
  const name = [os, release, arch, ...(subarch === '' ? [] : [subarch])].join('/').padEnd(NAME_WIDTH);
  const size = `${Math.ceil(bytes / 1e6)} MB`.padStart(9);
  const use = entries.length === 0 ? '' : `, booted by ${entries.join(', ')}`;
  return `${name}  ${label.padEnd(9)}  ${version.padEnd(12)}  ${size}  ${state.padEnd(9)}  ${since.slice(0, 19)}Z  from ${source}${use}`;
}
