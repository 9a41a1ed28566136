import type { ImportProgress } from '../images/progress.ts';

/** Where progress is shown: a bar that is drawn anew in its place, or lines. */
export interface Terminal {
  /** Columns of a terminal; undefined where there is none. */
  readonly columns: number | undefined;
  /** Without a line break. */
  readonly write: (text: string) => void;
  readonly now: () => number;
}

const LINE_EVERY = 10_000;
const BAR = 24;

/** Shows how far an import is. */
export class ProgressLines {
  readonly #terminal: Terminal;
  readonly #out: (line: string) => void;
  #saidAt = Number.NEGATIVE_INFINITY;
  #isDrawn = false;

  constructor(terminal: Terminal, out: (line: string) => void) {
    this.#terminal = terminal;
    this.#out = out;
  }

  show(progress: ImportProgress): void {
    const { columns, now, write } = this.#terminal;
    if (columns !== undefined) {
      const line = `${barOf(progress)} ${describeProgress(progress)}`.slice(0, Math.max(10, columns - 1));
      write(`\r\u001b[K${line}`);
      this.#isDrawn = true;
      return;
    }
    if (now() - this.#saidAt < LINE_EVERY) return;
    this.#saidAt = now();
    this.#out(describeProgress(progress));
  }

  /** What is written next stands on a line of its own. */
  end(): void {
    if (this.#isDrawn) this.#terminal.write('\r\u001b[K');
    this.#isDrawn = false;
  }
}

/** "41 % of 612 MB, 54 MB/s, 7 s left: ubuntu/noble/amd64 squashfs 35 %" */
export function describeProgress({ phase, source, files, done, total, rate, secondsLeft }: ImportProgress): string {
  if (phase === 'reading') return `reading what ${source ?? 'a source'} has`;
  const left = secondsLeft === undefined ? '' : `, ${timeOf(secondsLeft)} left`;
  const each = files.map((file) => `${file.name} ${percent(file.done, file.size)}`).join(', ');
  return `${percent(done, total)} of ${megabytes(total)}, ${megabytes(rate)}/s${left}${each === '' ? '' : `: ${each}`}`;
}

function barOf({ done, total }: ImportProgress): string {
  const filled = total === 0 ? 0 : Math.min(BAR, Math.floor((done / total) * BAR));
  return `[${'#'.repeat(filled)}${' '.repeat(BAR - filled)}]`;
}

function percent(done: number, total: number): string {
  return `${total === 0 ? 100 : Math.min(100, Math.floor((done / total) * 100))} %`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

function timeOf(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
