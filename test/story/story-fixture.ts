import { freshFacts, learnEvent, type MachineFacts } from '../../src/story/machine-facts.ts';
import { createPathKinds } from '../../src/story/path-kinds.ts';
import type { Ground, Trouble } from '../../src/story/trouble.ts';
import { troublesOf } from '../../src/story/troubles-of.ts';
import type { EventBody, RackEvent } from '../../src/timeline/event.ts';
import { testPlan } from '../boot/boot-plan-fixture.ts';

export const MAC = '52:54:00:12:34:56';
export const ADDRESS = '192.0.2.5';
export const HOST = '02:00:00:00:00:aa';
/** What a book goes by; one MAC is that of a host. */
export const BOOK_GROUND = { paths: createPathKinds(testPlan()), isHost: (mac: string) => mac === HOST };
export const PATHS = createPathKinds(testPlan());

/** Seconds since the beginning, and what happened then. */
export type Step = readonly [seconds: number, body: EventBody, address?: string];

export function eventsOf(steps: readonly Step[]): RackEvent[] {
  return steps.map(([seconds, body, address = ADDRESS]) => {
    const source = body.kind.startsWith('boot.') ? 'rack' : 'dhcp';
    return { ...body, at: seconds * 1000, source, mac: MAC, address };
  });
}

export function factsOf(events: readonly RackEvent[]): MachineFacts {
  const facts = freshFacts(MAC);
  for (const event of events) learnEvent(facts, event, PATHS);
  return facts;
}

/** What is wrong after these, so many seconds since the beginning. */
export function troublesAfter(steps: readonly Step[], seconds: number, ground: Partial<Ground> = {}): Trouble[] {
  const events = eventsOf(steps);
  return troublesOf(factsOf(events), {
    now: seconds * 1000,
    isLocal: false,
    called: 'node1',
    paths: PATHS,
    conflicts: [],
    whoIs: (mac) => mac,
    knownServers: [],
    otherServers: [],
    ...ground,
  });
}

export const UEFI: EventBody = { kind: 'dhcp.discover', arch: 7, vendorClass: 'PXEClient:Arch:00007:UNDI:003016' };
export const IPXE: EventBody = { kind: 'dhcp.discover', arch: 7, vendorClass: 'PXEClient', userClass: 'iPXE' };
export const SYSTEM: EventBody = { kind: 'dhcp.discover' };
export const OFFER: EventBody = { kind: 'dhcp.offer', leaseSeconds: 3600, bootFile: 'snponly.efi' };
export const REQUEST: EventBody = { kind: 'dhcp.request', state: 'selecting', wanted: ADDRESS };
export const ACK: EventBody = { kind: 'dhcp.ack', bootFile: 'snponly.efi' };
const IPXE_ACK: EventBody = { kind: 'dhcp.ack', bootFile: 'http://192.0.2.1:5248/boot.ipxe' };

export function tftp(file: string): EventBody {
  return { kind: 'tftp.sent', file, bytes: 5, milliseconds: 1, retransmitted: 0 };
}

/** `boots`: what a script says. */
export function http(path: string, boots?: string): EventBody {
  return { kind: 'http.sent', path, status: 200, bytes: 5, milliseconds: 1, ...(boots !== undefined && { boots }) };
}

export function missing(path: string): EventBody {
  return { kind: 'http.refused', path, status: 404, reason: 'no such file' };
}

/** Address and loader. */
export function loaded(from = 0): Step[] {
  return [
    [from, UEFI],
    [from + 1, OFFER],
    [from + 2, REQUEST],
    [from + 2, ACK],
    [from + 3, tftp('snponly.efi')],
  ];
}

/** … and the loader's own address and script. */
export function scripted(from = 0): Step[] {
  return [
    ...loaded(from),
    [from + 8, IPXE],
    [from + 8, OFFER],
    [from + 9, REQUEST],
    [from + 9, IPXE_ACK],
    [from + 10, http('/boot.ipxe')],
    [from + 10, http(`/ipxe/${MAC}`)],
  ];
}

/** … and all that its entry has. */
export function booted(from = 0): Step[] {
  return [
    ...scripted(from),
    [from + 11, http('/debian/vmlinuz')],
    [from + 12, http('/debian/initrd.gz')],
    [from + 12, http('/debian/my firmware.cpio')],
  ];
}
