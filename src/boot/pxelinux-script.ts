import { BOOT_LOCAL, type BootEntry, type BootFile, type ExitMethod } from '../plan/plan.ts';
import type { BootPlan } from './boot-plan.ts';
import { expandCommandLine } from './command-line.ts';
import { bootInterface, commandLineFacts, consoleName, encodePath, type ScriptFacts } from './script-facts.ts';

/** After a failure PXELINUX comes to its prompt; this many tenths of a second later it tries once more. */
const TRY_AGAIN = 100;

/**
 * The script of one machine: its boot plan, in the words of PXELINUX. `fetches`: pxelinux.0 knows TFTP only, lpxelinux.0
 * also HTTP. Nothing can be quoted there and nothing need be: a line ends at its end, and has no variables.
 */
export function pxelinuxScript(plan: BootPlan, facts: ScriptFacts, fetches: 'tftp' | 'http'): string {
  const opening = [`# ${oneLine(plan.why)}`, 'DEFAULT rackboot', 'PROMPT 0', `TIMEOUT ${TRY_AGAIN}`];
  const who = consoleName(plan, facts);
  const { target } = plan;
  if (target === BOOT_LOCAL) {
    return lines([...opening, say(`${who} boots its own disk`), 'LABEL rackboot', ...localBoot(facts.exit ?? 'auto')]);
  }
  return lines([
    ...opening,
    say(`${who} boots ${target.name}; if it can not be had, it is tried again every 10 seconds`),
    'LABEL rackboot',
    ...entryBoot(plan, target, facts, fetches),
  ]);
}

/** For one whose MAC is not known: it asked under its own name before, and this is no place to guess. */
export function pxelinuxStranger(): string {
  return lines([
    'DEFAULT rackboot',
    'PROMPT 0',
    say('this rack does not know who asks, so the machine boots its own disk'),
    'LABEL rackboot',
    '  LOCALBOOT 0',
  ]);
}

function entryBoot(plan: BootPlan, entry: BootEntry, facts: ScriptFacts, fetches: 'tftp' | 'http'): readonly string[] {
  const url = ({ path }: BootFile): string => {
    const server = fetches === 'http' ? facts.rack : `tftp://${new URL(facts.rack).hostname}`;
    return `${server}/${encodePath(path)}`;
  };
  const commandLine = oneLine(expandCommandLine(entry.cmdline, commandLineFacts(plan, facts)));
  return [
    // Not KERNEL, which goes by the file's name: one that ends in .0 or .c32 is no Linux to it
    `  LINUX ${url(entry.kernel)}`,
    ...(entry.initrd.length === 0 ? [] : [`  INITRD ${entry.initrd.map(url).join(',')}`]),
    `  APPEND ${bootInterface(facts)} ${commandLine}`.trimEnd(),
  ];
}

/** LOCALBOOT gives its number back to the PXE ROM: 0 all is well, -1 the boot failed. chain.c32 starts the first disk itself. */
function localBoot(exit: ExitMethod): readonly string[] {
  switch (exit) {
    case 'exit':
      return ['  LOCALBOOT 0'];
    case 'exit-1':
      return ['  LOCALBOOT -1'];
    case 'auto':
    case 'sanboot':
    case 'chain':
      return ['  COM32 chain.c32', '  APPEND hd0'];
  }
}

function say(text: string): string {
  return `SAY rackboot: ${oneLine(text)}`;
}

function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
}

function lines(commands: readonly string[]): string {
  return `${commands.join('\n')}\n`;
}
