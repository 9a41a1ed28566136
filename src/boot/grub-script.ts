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
import { grubParameters, grubWord, isSpoiltByGrub } from './grub-words.ts';
import { bootInterface, commandLineFacts, consoleName, type ScriptFacts } from './script-facts.ts';

/** Ten seconds each; then the machine restarts, and asks anew what it is to boot. */
const TRIES = '1 2 3 4 5 6';

/** What GRUB calls them, in $grub_cpu. */
const CPUS: Readonly<Record<OtherArch, string>> = { arm64: 'arm64', armhf: 'arm', ppc64el: 'powerpc' };

/** EFI programs that start an installed system; $arch is x64 or aa64. BOOT last: it may be a fallback that only makes boot options. */
const DISK_LOADERS = [
  ...['debian', 'ubuntu', 'redhat', 'rocky', 'almalinux', 'centos', 'fedora', 'opensuse', 'sles', 'oracle'].map(
    (vendor) => `/EFI/${vendor}/shim$arch.efi`,
  ),
  '/EFI/debian/grub$arch.efi',
  '/EFI/ubuntu/grub$arch.efi',
  '/EFI/systemd/systemd-boot$arch.efi',
  '/EFI/Microsoft/Boot/bootmgfw.efi',
  '/EFI/BOOT/boot$arch.efi',
];

/**
 * What every GRUB reads first: asks the rack for the machine's own script, every ten seconds until there is an answer. Paths have no
 * device: they mean the server GRUB came from, in the way it came. Debian's signed GRUB 2.06 and 2.12 knows TFTP only: it has
 * no http module, and Secure Boot lets it load none.
 */
export function grubChainScript(): string {
  return lines([
    'set leave=',
    'while [ -z "$leave" ]; do',
    '  echo "rackboot: asking $net_default_server what $net_default_mac is to boot"',
    '  if source "/grub/grub.cfg-$net_default_mac"; then true; fi',
    '  if [ -z "$leave" ]; then',
    '    echo "rackboot: no answer; trying again in 10 seconds, Esc for a prompt"',
    '    if sleep --interruptible 10; then true; else set leave=prompt; fi',
    '  fi',
    'done',
  ]);
}

/** The script of one machine: its boot plan, in the words of GRUB. */
export function grubScript(plan: BootPlan, facts: ScriptFacts): string {
  const opening = `# ${oneLine(plan.why)}`;
  const { target } = plan;
  if (target === BOOT_LOCAL) return lines([opening, ...localBoot(consoleName(plan, facts), facts.exit ?? 'auto')]);
  return lines([opening, ...entryBoot(plan, target, facts)]);
}

function entryBoot(plan: BootPlan, entry: BootEntry, facts: ScriptFacts): readonly string[] {
  const commandLine = expandCommandLine(entry.cmdline, commandLineFacts(plan, facts));
  const others = othersOf(entry).flatMap(([arch, files], i) => [
    `  ${i === 0 ? 'if' : 'elif'} [ "$grub_cpu" = ${CPUS[arch]} ]; then`,
    ...fileBoot(plan, files, facts),
  ]);
  const own = fileBoot(plan, entry, facts);
  const start = others.length === 0 ? own : [...others, '  else', ...own, '  fi'];
  return [
    say(`${consoleName(plan, facts)} boots ${entry.name}`),
    ...(isSpoiltByGrub(commandLine)
      ? [say('GRUB puts a backslash before the quotes and backslashes of this command line')]
      : []),
    `for try in ${TRIES}; do`,
    ...start,
    `  ${say(`${entry.name} did not start; trying again in 10 seconds, Esc for a prompt`)}`,
    '  if sleep --interruptible 10; then true; else set leave=prompt; break; fi',
    'done',
    'if [ -z "$leave" ]; then reboot; fi',
  ];
}

function fileBoot(plan: BootPlan, files: BootFiles, facts: ScriptFacts): readonly string[] {
  const commandLine = expandCommandLine(files.cmdline, commandLineFacts(plan, facts));
  const words = [bootInterface(facts), ...grubParameters(commandLine)].map(grubWord);
  const start = files.initrd.length === 0 ? ['    boot'] : initrdBoot(files);
  const kernel = `  if linux ${served(files.kernel.path)} ${words.join(' ')}; then`;
  return [...(files.dtb ? treeBoot(files.dtb) : []), kernel, ...start, '  fi'];
}

/**
 * GRUB takes one from nobody under Secure Boot, as none is signed, and that of x86 or of Open Firmware knows no such command: the
 * kernel then has what the firmware gave.
 */
function treeBoot(dtb: BootFile): readonly string[] {
  return [
    '  if [ "$lockdown" = y ]; then',
    `    ${say('Secure Boot lets GRUB load no device tree; that of the firmware stays')}`,
    `  elif devicetree ${served(dtb.path)}; then true; else`,
    `    ${say('this GRUB did not take the device tree; that of the firmware stays')}`,
    '  fi',
  ];
}

/** Of several, GRUB makes one, in this order. */
function initrdBoot({ initrd }: BootFiles): readonly string[] {
  return [`    if initrd ${initrd.map(({ path }) => served(path)).join(' ')}; then`, '      boot', '    fi'];
}

/**
 * An EFI GRUB that only exits leaves it to the firmware what comes next, which with OVMF is its menu: 2.06 tells it that all is
 * well, `exit 1` or not. So every way but `exit` starts what is on the disk.
 */
function localBoot(who: string, exit: ExitMethod): readonly string[] {
  const opening = [say(`${who} boots its own disk`), 'set leave=disk'];
  if (exit === 'exit') return [...opening, 'exit'];
  return [
    ...opening,
    'if [ "$grub_platform" = pc ]; then',
    '  set root=hd0',
    '  if chainloader +1; then boot; fi',
    'fi',
    'set arch=x64',
    'if [ "$grub_cpu" = arm64 ]; then set arch=aa64; fi',
    'if [ "$grub_cpu" = i386 ]; then set arch=ia32; fi',
    `for file in ${DISK_LOADERS.join(' ')}; do`,
    '  if search --no-floppy --set=disk --file "$file"; then',
    '    echo "rackboot: starting $file of $disk"',
    '    if chainloader "($disk)$file"; then boot; fi',
    '  fi',
    'done',
    say('found nothing to start on its disks; back to the firmware'),
    'exit 1',
  ];
}

function say(text: string): string {
  return `echo ${grubWord(`rackboot: ${text}`)}`;
}

function served(path: string): string {
  return grubWord(`/${path}`);
}

function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
}

function lines(commands: readonly string[]): string {
  return `${commands.join('\n')}\n`;
}
