import { formatIp4, type Ip4 } from '../../src/addr/ip4.ts';
import { parseRange, rangeSize } from '../../src/addr/range.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { macOf } from './machine.ts';
import { testPlan, type HostWords, type SubnetWords } from './test-plan.ts';

/** A wire that machines are plugged into. */
export interface Wire {
  /** Absent: the rack's own. */
  readonly giaddr?: string;
  readonly ranges: readonly string[];
  /** How many of a hundred machines are here. */
  readonly share: number;
}

const HALL: Wire = { ranges: ['192.168.64.10-192.168.79.255'], share: 50 };
const ANNEX: Wire = { giaddr: '10.1.0.1', ranges: ['10.1.0.10-10.1.7.255'], share: 30 };
/** More machines than addresses. */
const CELLAR: Wire = { giaddr: '10.2.0.1', ranges: ['10.2.0.10-10.2.1.229'], share: 11 };
/** Two subnets on one wire. */
const LOFT: Wire = { giaddr: '10.3.0.1', ranges: ['10.3.0.10-10.3.0.239', '10.4.0.10-10.4.0.239'], share: 9 };
export const WIRES: readonly Wire[] = [HALL, ANNEX, CELLAR, LOFT];
/** Where hosts live. */
export const HOME = HALL;

export const MACHINES = 5_000;
/** The first machines are hosts with an address, the next hosts that are given one for good. */
const FIXED = 100;
const KEPT = 200;
/** Become hosts in the course of the day. */
const LATE = 50;

export function dayPlan(when: 'morning' | 'evening'): Plan {
  const kept = when === 'morning' ? KEPT : KEPT + LATE;
  const hosts = Array.from({ length: FIXED + kept }, (_, n): HostWords => {
    const address = fixedAddress(n);
    return { name: hostName(n), macs: [macOf(n)], ...(address !== undefined && { address }) };
  });
  return testPlan({ subnets: SUBNETS, hosts });
}

export function hostName(n: number): string {
  return `host-${n}`;
}

/** The name of the host that the n-th machine is; undefined when it is none. */
export function hostOf(n: number, when: 'morning' | 'evening'): string | undefined {
  return n < FIXED + KEPT + (when === 'morning' ? 0 : LATE) ? hostName(n) : undefined;
}

/** Whether the n-th machine has one address at home from the first ACK on, whatever happens. */
export function isSteady(n: number): boolean {
  return n < FIXED + KEPT;
}

/** Whether the n-th machine is a host from the evening on, and has a lease from the dynamic range until then. */
export function becomesHost(n: number): boolean {
  return !isSteady(n) && hostOf(n, 'evening') !== undefined;
}

export function fixedAddress(n: number): string | undefined {
  return n < FIXED ? formatIp4((STATIC_START + n) as Ip4) : undefined;
}

/** How many addresses its ranges have. */
export function sizeOf({ ranges }: Wire): number {
  return ranges.reduce((sum, text) => {
    const range = parseRange(text);
    return sum + (range ? rangeSize(range) : 0);
  }, 0);
}

const STATIC_START = 0xc0a87800;

const RELAYED: SubnetWords = { interface: null, rack: null, static: null };
const SHARED: SubnetWords = { ...RELAYED, lease: 3600, more: { shared: 'loft' } };

const SUBNETS: readonly SubnetWords[] = [
  {
    cidr: '192.168.64.0/18',
    dynamic: HALL.ranges[0] ?? null,
    static: '192.168.120.0-192.168.121.255',
    lease: 7200,
  },
  { ...RELAYED, cidr: '10.1.0.0/20', dynamic: ANNEX.ranges[0] ?? null, router: '10.1.0.1', lease: 3600 },
  { ...RELAYED, cidr: '10.2.0.0/22', dynamic: CELLAR.ranges[0] ?? null, router: '10.2.0.1', lease: 5400 },
  { ...SHARED, cidr: '10.3.0.0/24', dynamic: LOFT.ranges[0] ?? null, router: '10.3.0.1' },
  { ...SHARED, cidr: '10.4.0.0/24', dynamic: LOFT.ranges[1] ?? null, router: '10.4.0.1' },
];
