import {
  BOOT_LOCAL,
  type BootEntry,
  type BootFile,
  type BootFiles,
  type ExitMethod,
  type OtherArch,
} from '../plan/plan.ts';
import type { BootPlan } from './boot-plan.ts';
import { expandCommandLine } from './command-line.ts';
import { othersOf } from './entry-files.ts';
import { ipxeWords } from './ipxe-words.ts';
import { bootInterface, commandLineFacts, consoleName, encodePath, type ScriptFacts } from './script-facts.ts';

/** What iPXE calls them, in ${buildarch}; there is none for POWER. */
const BUILDS: Readonly<Partial<Record<OtherArch, string>>> = { arm64: 'arm64', armhf: 'arm32' };

/**
 * The first script of every machine: asks the rack for the machine's own one, every ten seconds until there is an answer.
 *
 * netX is the interface that iPXE opened last: the one it booted from. An iPXE started by a signed shim reads this as
 * autoexec.ipxe before it has any address, hence `dhcp`. `--autofree`: a BIOS iPXE would hand a script that is still
 * in memory to the kernel as one more initrd.
 */
export function chainScript(rack: string): string {
  return lines([
    '#!ipxe',
    ':ask',
    'isset ${netX/ip} || dhcp || goto again',
    `echo rackboot: asking ${rack} what \${netX/mac} is to boot`,
    `chain --autofree --replace ${rack}/ipxe/\${netX/mac:hexhyp} || goto again`,
    'exit',
    ':again',
    `echo rackboot: no answer from ${rack}; trying again in 10 seconds, Ctrl-C for a shell`,
    'sleep 10 || shell',
    'goto ask',
  ]);
}

/** The script of one machine: its boot plan, in the words of iPXE. */
export function machineScript(plan: BootPlan, facts: ScriptFacts): string {
  const opening = ['#!ipxe', `# ${ipxeWords(plan.why)}`];
  const { target } = plan;
  if (target === BOOT_LOCAL) return lines([...opening, ...localBoot(consoleName(plan, facts), facts.exit ?? 'auto')]);
  return lines([...opening, ...entryBoot(plan, target, facts)]);
}

/**
 * Usually, BIOS: starts the first disk. UEFI: goes back to the firmware with an error, because after a boot option that succeeds
 * the boot manager may stop and show its menu instead of trying the next one (UEFI 2.10 §3.1.1). An iPXE can't read the
 * files of a disk, so it can't pick an EFI program from there: `chain` is as usual.
 */
function localBoot(who: string, exit: ExitMethod): readonly string[] {
  const opening = `echo rackboot: ${ipxeWords(who)} boots its own disk`;
  switch (exit) {
    case 'exit':
      return [opening, 'exit'];
    case 'exit-1':
      return [opening, 'exit 1'];
    case 'sanboot':
      return [opening, 'sanboot --no-describe --drive 0x80 || exit 1'];
    case 'auto':
    case 'chain':
      return [opening, 'iseq ${platform} pcbios || exit 1', 'sanboot --no-describe --drive 0x80 || exit'];
  }
}

/** A file that can't be had is asked for again, by the script of then; a kernel that does not start leaves no sound iPXE behind. */
function entryBoot(plan: BootPlan, entry: BootEntry, facts: ScriptFacts): readonly string[] {
  const name = ipxeWords(entry.name);
  const others = othersOf(entry).filter(([arch]) => BUILDS[arch] !== undefined);
  return [
    `echo rackboot: ${ipxeWords(`${consoleName(plan, facts)} boots ${entry.name}`)}`,
    'imgfree',
    ...others.map(([arch]) => `iseq \${buildarch} ${BUILDS[arch]} && goto ${arch} ||`),
    ...fileBoot(plan, entry, facts),
    ...others.flatMap(([arch, files]) => [`:${arch}`, ...fileBoot(plan, files, facts)]),
    ':missing',
    `echo rackboot: a file of ${name} can not be had; asking again in 10 seconds, Ctrl-C for a shell`,
    'sleep 10 || shell',
    'imgfree',
    `chain --autofree --replace ${facts.rack}/boot.ipxe ||`,
    ':failed',
    `echo rackboot: ${name} did not start; this machine restarts in 30 seconds`,
    'prompt --key s --timeout 30000 Press s for a shell && shell ||',
    'reboot',
  ];
}

/** Leaves by a jump, if it comes back at all. */
function fileBoot(plan: BootPlan, { kernel, initrd, dtb, cmdline }: BootFiles, facts: ScriptFacts): readonly string[] {
  const commandLine = expandCommandLine(cmdline, commandLineFacts(plan, facts));
  const initrds = initrd.map((file, index) => ({ name: `initrd${index}`, file }));
  const words = [...firstWords(facts, initrds), ipxeWords(commandLine)].filter((word) => word !== '');
  return [
    ...(dtb ? treeBoot(urlOf(facts.rack, dtb)) : []),
    `kernel ${urlOf(facts.rack, kernel)} ${words.join(' ')} || goto missing`,
    ...initrds.map((each) => `initrd --name ${each.name} ${urlOf(facts.rack, each.file)} || goto missing`),
    'boot || goto failed',
  ];
}

/**
 * Ahead of the rest, as the machine has had its entry when the last of that is sent. Only builds since March 2025 know `fdt`, and
 * not all of them: any other is to forget the file, which it would hand to the kernel as one more initrd.
 */
function treeBoot(url: string): readonly string[] {
  return [
    `imgfetch --name dtb ${url} || goto missing`,
    'fdt dtb || imgfree dtb && echo rackboot: this iPXE can not hand over a device tree and that of the firmware stays ||',
  ];
}

/**
 * What every kernel is told, ahead of the entry's own words, as nothing after a `--` would reach it. `initrd=` is for
 * Linux's EFI stub, which reads the files that iPXE offers it by these names.
 */
function firstWords(facts: ScriptFacts, initrds: readonly { readonly name: string }[]): readonly string[] {
  return [...initrds.map(({ name }) => `initrd=${name}`), bootInterface(facts)];
}

function urlOf(rack: string, file: BootFile): string {
  return `${rack}/${encodePath(file.path)}`;
}

function lines(commands: readonly string[]): string {
  return `${commands.join('\n')}\n`;
}
