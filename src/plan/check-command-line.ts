import { COMMAND_LINE_VARIABLES, longestLength, unknownVariables } from './command-line-variables.ts';
import type { FaultBook } from './fault-book.ts';
import type { Path } from './fault.ts';
import { LONGEST_CMDLINE } from './text-forms.ts';

/** Ahead of the operator's words in every language. */
const BOOTIF = 'BOOTIF=01-52-54-00-12-34-56 '.length;

export interface CommandLineDraft {
  readonly cmdline: string;
  /** Served paths. */
  readonly kernel?: string | undefined;
  readonly initrd?: readonly string[] | undefined;
}

/** A name that stands for nothing, or a line that would not reach the kernel whole, takes the entry out of service. */
export function checkCommandLine(
  book: FaultBook,
  entry: Path,
  { kernel = '', initrd = [], cmdline }: CommandLineDraft,
): void {
  const path = [...entry, 'cmdline'];
  const [unknown] = unknownVariables(cmdline);
  if (unknown !== undefined) {
    const names = Object.keys(COMMAND_LINE_VARIABLES).map((name) => `\${${name}}`);
    book.report(path, `no variables but ${names.join(', ')}`, { found: unknown });
  }
  const ahead = BOOTIF + 'BOOT_IMAGE= '.length + urlLength(kernel) + initrdWords(initrd);
  const room = LONGEST_CMDLINE - ahead;
  const length = longestLength(cmdline);
  if (length > room) {
    const expected = `at most ${room} bytes, as ${ahead} of ${LONGEST_CMDLINE} are for what the loader must say`;
    book.report(path, expected, { found: `up to ${length}, with its variables filled in` });
  }
}

/** PXELINUX names them all by their URLs, which is more than any other loader needs. */
function initrdWords(initrd: readonly string[]): number {
  return initrd.reduce((sum, path) => sum + 'initrd= '.length + urlLength(path), 0);
}

function urlLength(path: string): number {
  return COMMAND_LINE_VARIABLES.rack + 1 + encodeURIComponent(path).length;
}
