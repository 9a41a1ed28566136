import type { Ip4 } from '../addr/ip4.ts';
import { formatMac, type Mac } from '../addr/mac.ts';
import { BOOT_LOCAL, type BootEntry, type BootFile } from '../plan/plan.ts';
import type { BootPlan } from './boot-plan.ts';
import { expandCommandLine, type CommandLineFacts } from './command-line.ts';
import { ipxeWords } from './ipxe-words.ts';

/** Whom a script is for. */
export interface ScriptFacts {
  readonly mac: Mac;
  /** The rack's boot HTTP service: "http://192.0.2.1:5248". */
  readonly rack: string;
  readonly address?: Ip4;
}

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
  const who = plan.machine?.name ?? formatMac(facts.mac);
  const opening = ['#!ipxe', `# ${ipxeWords(plan.why)}`];
  if (plan.target === BOOT_LOCAL) return lines([...opening, ...localBoot(who)]);
  const { machine } = plan;
  return lines([...opening, ...entryBoot(who, plan.target, machine === undefined ? facts : { ...facts, machine })]);
}

/**
 * BIOS: starts the first disk. UEFI: goes back to the firmware with an error, because after a boot option that succeeds
 * the boot manager may stop and show its menu instead of trying the next one (UEFI 2.10 §3.1.1).
 */
function localBoot(who: string): readonly string[] {
  return [
    `echo rackboot: ${ipxeWords(who)} boots its own disk`,
    'iseq ${platform} pcbios || exit 1',
    'sanboot --no-describe --drive 0x80 || exit',
  ];
}

function entryBoot(who: string, entry: BootEntry, facts: CommandLineFacts): readonly string[] {
  const { text, unknown } = expandCommandLine(entry.cmdline, facts);
  const initrds = entry.initrd.map((file, index) => ({ name: `initrd${index}`, file }));
  const words = [...firstWords(facts.mac, initrds), ipxeWords(text)].filter((word) => word !== '');
  return [
    `echo rackboot: ${ipxeWords(`${who} boots ${entry.name}`)}`,
    ...unknown.map(
      (name) => `echo rackboot: the command line names ${ipxeWords(`{${name}}`)}, which stands for nothing`,
    ),
    'imgfree',
    `kernel ${urlOf(facts.rack, entry.kernel)} ${words.join(' ')} || goto failed`,
    ...initrds.map(({ name, file }) => `initrd --name ${name} ${urlOf(facts.rack, file)} || goto failed`),
    'boot || goto failed',
    ':failed',
    `echo rackboot: ${ipxeWords(entry.name)} did not start; this machine restarts in 30 seconds`,
    'prompt --key s --timeout 30000 Press s for a shell && shell ||',
    'reboot',
  ];
}

/**
 * What every kernel is told, ahead of the entry's own words, as nothing after a `--` would reach it. `initrd=` is for
 * Linux's EFI stub, which reads the files that iPXE offers it by these names; BOOTIF is PXELINUX's word for the interface.
 */
function firstWords(mac: Mac, initrds: readonly { readonly name: string }[]): readonly string[] {
  return [...initrds.map(({ name }) => `initrd=${name}`), `BOOTIF=01-${formatMac(mac, '-')}`];
}

/** Percent-encoded, so that no character of the path means anything to iPXE's parser. */
function urlOf(rack: string, file: BootFile): string {
  return `${rack}/${file.path.split('/').map(encodeURIComponent).join('/')}`;
}

function lines(commands: readonly string[]): string {
  return `${commands.join('\n')}\n`;
}
