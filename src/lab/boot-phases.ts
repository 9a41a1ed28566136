import type { RackEvent } from '../timeline/event.ts';
import { INITRD_PATH, KERNEL_PATH } from './config.ts';
import type { LabLoader } from './loader.ts';

/** One stretch of a boot, from the end of the one before to the event that ends it. */
interface BootPhase {
  readonly title: string;
  readonly milliseconds: number;
  /** Size and speed, where a file was fetched. */
  readonly detail?: string;
}

export interface BootSummary {
  readonly phases: readonly BootPhase[];
  /** What should have come next, as a sentence; absent when the boot is whole. */
  readonly missing?: string;
}

/** Below this a speed says nothing: a script is one packet. */
const SMALLEST_MEGABYTES = 0.01;

interface Step {
  /** By which protocol a file came is added. */
  readonly title: string;
  readonly missing: string;
  readonly ends: (event: RackEvent) => boolean;
}

/** In the order of a boot. What an event means depends on what came before it: the third ACK is that of Linux. */
const FIRMWARE: readonly Step[] = [
  step('firmware starts and asks for an address', 'the firmware never asked for an address', of('dhcp.discover')),
  step('rack offers one', 'the rack offered the firmware no address', of('dhcp.offer')),
  step('firmware takes it', 'the firmware did not take the address it was offered', of('dhcp.ack')),
];
// Debian's iPXE asks for an IPv6 router for some 13 s before it does anything with the IPv4 address it has.
const IPXE_SCRIPT = step(
  'iPXE has waited for an IPv6 router; its script comes',
  'iPXE fetched no script',
  fetched('ipxe/'),
);
/** An iPXE is a program of the machine's like any other: it asks for an address of its own. */
const IPXE: readonly Step[] = [
  step('loader comes', 'the firmware fetched no loader', fetched('snponly', 'undionly', 'ipxe.efi')),
  step('loader starts and gets its address', 'the loader got no address', of('dhcp.ack')),
  IPXE_SCRIPT,
];
const GRUB: readonly Step[] = [
  step('GRUB comes', 'GRUB was not fetched', fetched('grubx64.efi', 'grubaa64.efi', 'grubia32.efi')),
  step('GRUB starts; its script comes', 'GRUB fetched no script', fetched('grub.cfg')),
  step('its own script comes', 'GRUB fetched no script of its own', fetched('grub.cfg-')),
];
const SHIM = step('shim comes', 'the firmware fetched no shim', fetched('shimx64.efi', 'shimaa64.efi'));
const PXELINUX: readonly Step[] = [
  step('PXELINUX comes', 'the firmware fetched no PXELINUX', fetched('pxelinux.0')),
  step('its library comes', 'PXELINUX fetched no ldlinux.c32', fetched('ldlinux.c32')),
  step('its script comes', 'PXELINUX fetched no script', fetched('pxelinux.cfg/')),
];
const LOADER: Readonly<Record<LabLoader, readonly Step[]>> = {
  none: [IPXE_SCRIPT],
  undionly: IPXE,
  snponly: IPXE,
  ipxe: IPXE,
  shim: [SHIM, ...GRUB],
  grub: GRUB,
  pxelinux: PXELINUX,
  lpxelinux: PXELINUX,
};
const LINUX: readonly Step[] = [
  step('kernel comes', 'the kernel was not fetched', fetched(KERNEL_PATH, '/boot-kernel')),
  step('initrd comes', 'the initrd was not fetched', fetched(INITRD_PATH, '/boot-initrd')),
  step('Linux starts and asks for an address', 'Linux never asked for an address', of('dhcp.discover')),
  step('Linux gets its address', 'Linux got no address', of('dhcp.ack')),
  step('Linux resolves its name', 'Linux never asked for a name', of('dns.first-question')),
  step('Linux reports in', 'no report came that the machine is up', isUp),
];

/** The machine's report that all went well. */
export function isUp(event: RackEvent): boolean {
  return event.kind === 'machine.report' && event.report.stage === 'up';
}

/**
 * Cuts a boot into its phases. `powerOn`: Unix time in milliseconds.
 * Services run side by side, and what they tell may arrive out of order: time decides.
 */
export function bootPhases(events: readonly RackEvent[], loader: LabLoader, powerOn: number): BootSummary {
  const steps = [...FIRMWARE, ...LOADER[loader], ...LINUX];
  const phases: BootPhase[] = [];
  let since = powerOn;
  for (const event of events.toSorted((a, b) => a.at - b.at)) {
    const next = steps[phases.length];
    if (next === undefined) break;
    if (!next.ends(event)) continue;
    const milliseconds = event.at - since;
    const detail = transferOf(event, milliseconds);
    const title = `${next.title}${protocolOf(event)}`;
    phases.push({ title, milliseconds, ...(detail === undefined ? {} : { detail }) });
    since = event.at;
  }
  const missing = steps[phases.length]?.missing;
  return missing === undefined ? { phases } : { phases, missing };
}

/** The summary for a person: a line for each phase, and one for the whole. */
export function phaseLines({ phases }: BootSummary): string[] {
  const total = phases.reduce((sum, phase) => sum + phase.milliseconds, 0);
  const lines = phases.map(({ title, milliseconds, detail }) => {
    return `${seconds(milliseconds)}  ${title}${detail === undefined ? '' : ` (${detail})`}`;
  });
  return [...lines, `${seconds(total)}  in all`];
}

/** "  12.34 s", as wide as any of them. */
export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2).padStart(7)} s`;
}

/** As the machine sees it: what the server measures ends when the last bytes are in its own send buffer. */
function transferOf(event: RackEvent, milliseconds: number): string | undefined {
  if (event.kind !== 'tftp.sent' && event.kind !== 'http.sent') return undefined;
  const megabytes = event.bytes / 1e6;
  if (megabytes < SMALLEST_MEGABYTES) return undefined;
  const speed = (megabytes / Math.max(milliseconds, 1)) * 1000;
  return `${megabytes.toFixed(2)} MB, ${speed.toFixed(1)} MB/s`;
}

function protocolOf(event: RackEvent): string {
  if (event.kind === 'tftp.sent') return ' by TFTP';
  return event.kind === 'http.sent' ? ' by HTTP' : '';
}

function step(title: string, missing: string, ends: Step['ends']): Step {
  return { title, missing, ends };
}

function of(kind: RackEvent['kind']): Step['ends'] {
  return (event) => event.kind === kind;
}

/** A file whose path has one of these in it came whole. */
function fetched(...parts: readonly string[]): Step['ends'] {
  return (event) => {
    if (event.kind === 'tftp.sent') return parts.some((part) => event.file.includes(part));
    return event.kind === 'http.sent' && event.status < 300 && parts.some((part) => event.path.includes(part));
  };
}
