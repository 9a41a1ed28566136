import { BOOT_LOCAL, type BootEntry, type ExitMethod } from '../plan/plan.ts';
import type { BootPlan } from './boot-plan.ts';
import { expandCommandLine } from './command-line.ts';
import { filesFor } from './entry-files.ts';
import { bootInterface, commandLineFacts, consoleName, type ScriptFacts } from './script-facts.ts';
import type { ScriptReader } from './script-readers.ts';

/**
 * The script of one machine for U-Boot's `pxe` or for Petitboot. Neither tries again: what can't be had, or does not start, leaves
 * U-Boot to its next boot target and Petitboot to its menu. Seen: U-Boot 2023.01 fetches initrd, kernel and device tree, in this order;
 * it passes over SAY, which it does not know.
 */
export function readerScript(plan: BootPlan, facts: ScriptFacts, reader: ScriptReader): string {
  const { target } = plan;
  const what = target === BOOT_LOCAL ? 'its own disk' : target.name;
  const lines = [
    `# ${oneLine(plan.why)}`,
    'DEFAULT rackboot',
    `SAY rackboot: ${oneLine(`${consoleName(plan, facts)} boots ${what}`)}`,
    ...(target === BOOT_LOCAL ? localBoot(reader, facts.exit ?? 'auto') : entryBoot(plan, target, facts, reader)),
  ];
  return `${lines.join('\n')}\n`;
}

/** Each takes one initrd, which stands ahead of APPEND: U-Boot would else look for an `initrd=` there. */
function entryBoot(
  plan: BootPlan,
  entry: BootEntry,
  facts: ScriptFacts,
  { kind, runs }: ScriptReader,
): readonly string[] {
  const { kernel, initrd, dtb, cmdline } = filesFor(entry, runs);
  const words =
    `${bootInterface(facts)} ${oneLine(expandCommandLine(cmdline, commandLineFacts(plan, facts)))}`.trimEnd();
  const [first, ...more] = initrd;
  return [
    ...(more.length === 0 ? [] : [`SAY rackboot: one initrd of ${initrd.length} is loaded, as it can take no more`]),
    'LABEL rackboot',
    // U-Boot takes LINUX as well, Petitboot does not
    `  KERNEL ${kernel.path}`,
    ...(first ? [`  INITRD ${first.path}`] : []),
    ...(dtb ? [`  FDT ${dtb.path}`] : []),
    `  APPEND ${kind === 'u-boot' ? uBootWords(words) : words}`,
  ];
}

/**
 * 0: U-Boot runs the command in its `localcmd`, if it has one, and goes on to its next boot target; -1: goes on at once.
 * Petitboot lists what is on the disks by itself, so that it needs no label for it.
 */
function localBoot({ kind }: ScriptReader, exit: ExitMethod): readonly string[] {
  if (kind === 'petitboot') return [];
  return ['LABEL rackboot', `  LOCALBOOT ${exit === 'exit-1' ? -1 : 0}`];
}

/** U-Boot expands $(x) and takes away one level of quotes and backslashes. */
function uBootWords(text: string): string {
  return text.replaceAll(/[\\'$]/g, String.raw`\$&`);
}

function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
}
