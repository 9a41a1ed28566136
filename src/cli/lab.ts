import { extname, join } from 'node:path';
import { execPath } from 'node:process';
import { FIRMWARES } from '../lab/firmware.ts';
import { loadersFor } from '../lab/loader.ts';
import { runLab } from '../lab/run-lab.ts';

/** The words after `rackboot lab`, as they were written. */
export interface LabWords {
  /** Default: bios. */
  readonly firmware?: string | undefined;
  /** Default: the usual one for the firmware. */
  readonly loader?: string | undefined;
  /** Default: image. */
  readonly content?: string | undefined;
  readonly keep?: boolean | undefined;
  /** Seconds. Default: 180. */
  readonly timeout?: string | undefined;
  /** QEMU's accelerator. Default: tcg. */
  readonly accel?: string | undefined;
  readonly signal: AbortSignal;
}

const WRONG_USAGE = 2;
/** Started as the lab's own rack: this program, from the sources or from the build. */
const MAIN = join(import.meta.dirname, '..', `main${extname(import.meta.filename)}`);

/** Boots a virtual machine in a private network. Gives the exit code: 0 up, 1 not up, 2 wrong usage, 130 interrupted. */
export async function lab(words: LabWords, out: (line: string) => void): Promise<number> {
  const { firmware: asked = 'bios', content = 'image', keep = false, timeout = '180', accel = 'tcg', signal } = words;
  const timeoutSeconds = Number(timeout);
  const firmware = FIRMWARES.find((known) => known === asked);
  if (firmware === undefined) {
    out(`--firmware: expected one of ${FIRMWARES.join(', ')}, found ${JSON.stringify(asked)}`);
    return WRONG_USAGE;
  }
  const loaders = loadersFor(firmware);
  const loader = words.loader === undefined ? loaders[0] : loaders.find((known) => known === words.loader);
  if (loader === undefined) {
    out(`--loader: expected one of ${loaders.join(', ')}, found ${JSON.stringify(words.loader)}`);
    return WRONG_USAGE;
  }
  if (content !== 'image' && content !== 'files') {
    out(`--content: expected image or files, found ${JSON.stringify(content)}`);
    return WRONG_USAGE;
  }
  if (!Number.isFinite(timeoutSeconds) || timeoutSeconds <= 0) {
    out(`--timeout: expected a number of seconds above 0, found ${JSON.stringify(timeout)}`);
    return WRONG_USAGE;
  }
  return runLab(
    { way: { firmware, loader, content }, keep, timeoutSeconds, accel, rackboot: [execPath, MAIN], signal },
    out,
  );
}
