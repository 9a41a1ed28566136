import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { formatIp4, toIp4, type Ip4 } from '../../src/addr/ip4.ts';
import { formatMac, readMac, type Mac } from '../../src/addr/mac.ts';
import { compilePlan } from '../../src/plan/compile-plan.ts';
import { toColumns } from '../../src/service/lease-columns.ts';
import type { LeaseFact } from '../../src/service/letters.ts';
import type { RackFacts, RegionWish } from '../../src/service/region-letters.ts';
import { timersOnly } from '../../src/service/timers-only.ts';
import { connectRegion } from '../../src/sync/connect-region.ts';
import { CredentialsFile } from '../../src/sync/credentials-file.ts';
import type { RegionTrust } from '../../src/plan/plan.ts';
import { enrol } from '../../src/sync/enrol.ts';
import { openOutbox } from '../../src/sync/open-outbox.ts';
import { SyncService } from '../../src/sync/sync-service.ts';
import { systemClock } from '../../src/system/clock.ts';
import type { EventBody } from '../../src/timeline/event.ts';

const VERSION = '0.1.0';
const FILE_HASH = createHash('sha256').update('').digest('hex');
const FIRST_NETWORK = 0x0a000000;
const LEASE_SECONDS = 600;

/** What a UEFI with iPXE behind it makes a rack tell, from power-on to its report that it is up. */
const BOOT: readonly EventBody[] = [
  { kind: 'dhcp.discover', arch: 7, vendorClass: 'PXEClient:Arch:00007:UNDI:003001' },
  { kind: 'dhcp.offer', leaseSeconds: LEASE_SECONDS, bootFile: 'snponly.efi' },
  { kind: 'dhcp.request', state: 'selecting', wanted: '10.0.0.101' },
  { kind: 'dhcp.ack', bootFile: 'snponly.efi' },
  { kind: 'tftp.size-probe', file: 'snponly.efi', bytes: 262_144, blockSize: 1468 },
  { kind: 'tftp.sent', file: 'snponly.efi', bytes: 262_144, milliseconds: 310, retransmitted: 0 },
  { kind: 'dhcp.discover', arch: 7, userClass: 'iPXE' },
  { kind: 'dhcp.offer', leaseSeconds: LEASE_SECONDS, bootFile: 'http://10.0.0.1:8080/boot.ipxe' },
  { kind: 'dhcp.request', state: 'selecting', wanted: '10.0.0.101' },
  { kind: 'dhcp.ack', bootFile: 'http://10.0.0.1:8080/boot.ipxe' },
  { kind: 'http.sent', path: '/boot.ipxe', status: 200, bytes: 421, milliseconds: 1, boots: 'ubuntu/noble' },
  { kind: 'http.sent', path: '/images/ubuntu/noble/boot-kernel', status: 200, bytes: 14_680_064, milliseconds: 140 },
  { kind: 'http.sent', path: '/images/ubuntu/noble/boot-initrd', status: 200, bytes: 68_157_440, milliseconds: 610 },
  { kind: 'dhcp.discover' },
  { kind: 'dhcp.ack' },
  { kind: 'dns.first-question', name: 'archive.ubuntu.example', type: 'A', answer: 'NOERROR' },
];
export const EVENTS_OF_A_BOOT = BOOT.length;

/** Where a rack is, and who vouches for its region. */
export interface RackPlace {
  /** From 0. */
  readonly index: number;
  readonly url: string;
  readonly trust: RegionTrust;
  /** Its own. */
  readonly directory: string;
}

/** A rack's network by its number: 10.0.0.0/24, 10.0.1.0/24 … */
export function networkOf(index: number): Ip4 {
  return toIp4(FIRST_NETWORK + index * 256);
}

export function rackName(index: number): string {
  return `rack-${index}`;
}

export function machineMac(rack: number, machine: number): Mac {
  return readMac(Uint8Array.of(0x52, 0x54, 0, rack >> 8, rack & 255, machine), 0);
}

export function machineAddress(rack: number, machine: number): Ip4 {
  return toIp4(networkOf(rack) + 101 + machine);
}

/** All that a rack has to do with its region, by the very code of the rack; what it would say of itself is made up. */
export class SimulatedRack {
  readonly #place: RackPlace;
  readonly #heard: (version: number) => void;
  readonly #leases = new Map<Ip4, LeaseFact>();
  readonly #service: SyncService;
  #version: number | undefined;
  #letters = 0;
  isConnected = false;

  constructor(place: RackPlace, heard: (version: number) => void) {
    this.#place = place;
    this.#heard = heard;
    mkdirSync(place.directory);
    this.#service = new SyncService(
      {
        loop: timersOnly,
        clock: systemClock,
        events: { emit: () => undefined },
        region: { wish: (wish) => this.#hear(wish) },
      },
      {
        random: Math.random,
        version: VERSION,
        connect: connectRegion,
        openOutbox: (state, bounds) => openOutbox(join(state, 'outbox.db'), systemClock, bounds),
      },
    );
  }

  /** Of its outbox. */
  get waiting(): number {
    return this.#service.counters()['waiting'] ?? 0;
  }

  async enrol(token: string): Promise<void> {
    const { directory, url, trust, index } = this.#place;
    const file = new CredentialsFile(this.#credentials, directory);
    const wish = { token, name: rackName(index), version: VERSION, urls: [url] };
    await enrol(wish, file, (at) => connectRegion(at, trust));
  }

  start(): void {
    const { directory, url, trust, index } = this.#place;
    const region = {
      url,
      credentials: this.#credentials,
      ...(trust.ca !== undefined && { ca: trust.ca }),
      ...(trust.pins && { pin: trust.pins }),
    };
    const file = JSON.stringify({ rack: { name: rackName(index), state: directory }, region });
    const { plan, faults } = compilePlan(file, 'rackboot.yaml', {
      hostName: rackName(index),
      interfaces: [{ name: 'eth0', address: this.#address, prefix: 24 }],
      excuses: () => false,
      fileExists: () => true,
      directoryExists: () => true,
    });
    if (!plan) throw new Error(JSON.stringify(faults));
    this.#service.apply(plan);
  }

  /** Its machines power on, all of them. */
  boot(machines: number): void {
    const at = Date.now();
    const lines: string[] = [];
    for (const body of BOOT)
      for (let machine = 0; machine < machines; machine++) {
        const address = formatIp4(machineAddress(this.#place.index, machine));
        const mac = formatMac(machineMac(this.#place.index, machine));
        lines.push(JSON.stringify({ ...body, at, source: body.kind.split('.')[0], mac, address }));
      }
    this.#service.hearRegion({ kind: 'events', life: 'one', number: ++this.#letters, lines: lines.join('\n') });
    const bound = Array.from({ length: machines }, (_, machine) => this.#leaseOf(machine));
    for (const lease of bound) this.#leases.set(lease.address, lease);
    this.#service.learn(bound, []);
  }

  close(): void {
    this.#service.close();
  }

  get #address(): Ip4 {
    return toIp4(networkOf(this.#place.index) + 1);
  }

  get #credentials(): string {
    return join(this.#place.directory, 'region.json');
  }

  #leaseOf(machine: number): LeaseFact {
    const { index } = this.#place;
    const expires = Math.floor(Date.now() / 1000) + LEASE_SECONDS;
    return { address: machineAddress(index, machine), mac: machineMac(index, machine), expires };
  }

  /** As the rack's own process does: never before the call that wished is over. */
  #hear(wish: RegionWish): void {
    setImmediate(() => this.#answer(wish));
  }

  #answer(wish: RegionWish): void {
    switch (wish.kind) {
      case 'facts':
        this.#service.hearRegion({ kind: 'facts', facts: this.#facts(wish.withFile) });
        break;
      case 'leases':
        this.#service.hearRegion({ kind: 'all-leases', id: wish.id, leases: toColumns([...this.#leases.values()]) });
        break;
      case 'answer':
        this.#version = wish.answer.version;
        this.#heard(wish.answer.version);
        this.#service.hearRegion({ kind: 'changed' });
        break;
      case 'state':
        this.isConnected = wish.state.link === 'connected';
        break;
      case 'taken':
      case 'order':
        break;
    }
  }

  #facts(withFile: boolean): RackFacts {
    return {
      startedAt: 1,
      services: ['dhcp', 'dns', 'tftp', 'http', 'importer', 'watch', 'sync'].map((name) => ({
        name,
        state: 'serving',
        restarts: 0,
      })),
      plan: { ...(this.#version !== undefined && { version: this.#version }), conflicts: [] },
      interfaces: [{ name: 'eth0', address: formatIp4(this.#address), prefix: 24 }],
      images: [],
      isImporting: false,
      leases: this.#leases.size,
      notices: [],
      file: { hash: FILE_HASH, ...(withFile && { config: {} }) },
    };
  }
}
