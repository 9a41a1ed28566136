import type { Context } from 'koa';

import { formatMac, parseMac, type Mac } from '../addr/mac.ts';
import type { BootedMachine } from '../boots/boot-ledger.ts';
import type { BootRow } from '../boots/boot-row.ts';
import type { Plan } from '../plan/plan.ts';
import { nameOfMachine } from './boot-keeper.ts';
import type { Rack } from './rack.ts';

/**
 * A machine and an entry as `rackboot boots --json` prints it. `armed`: it netboots; `delivered`, `reported`: it has had the
 * entry; `held`: it netbooted over and over; `lost`: nobody knows. `since`: ISO 8601; of an armed one, when it was last given
 * the script, absent for never.
 */
export interface BootLine {
  readonly mac: string;
  readonly name?: string;
  readonly entry: string;
  readonly state: 'armed' | 'delivered' | 'reported' | 'held' | 'lost';
  readonly since?: string;
}

/** `GET /boots`: what is remembered, and the hosts that are to netboot once. */
export function listBoots(context: Context, rack: Rack): void {
  const { plan, boots } = rack;
  const rows = boots.rows();
  const known = rows.map((row) => lineOf(plan, row));
  context.body = [...known, ...hostsToCome(plan, rows, boots.lostSince)].toSorted((a, b) =>
    orderOf(a) < orderOf(b) ? -1 : 1,
  );
}

/** `POST /boots/reset?of=MAC|NAME`, or `?all`: lets machines netboot again, and answers with what they had. */
export function resetBoots(context: Context, rack: Rack): void {
  const { of } = context.query;
  if (context.query['all'] !== undefined) {
    const forgotten = rack.boots.reset();
    context.body = forgotten.map((row) => lineOf(rack.plan, row));
    return;
  }
  if (typeof of !== 'string' || of === '') return refuse(context, 400, 'expected of= and a MAC address or a name');
  const machines = machinesCalled(rack, of);
  const forgotten = machines.length === 0 ? [] : rack.boots.reset(machines);
  if (forgotten.length > 0) context.body = forgotten.map((row) => lineOf(rack.plan, row));
  else if (machines.length === 0) refuse(context, 404, `no host and no machine that netbooted is called ${of}`);
  else refuse(context, 404, `${of} has nothing to reset: it boots what the file says`);
}

/** All cards of a host, by its name or by one of them. */
function machinesCalled({ plan, boots, leases }: Rack, of: string): BootedMachine[] {
  const mac = parseMac(of);
  const name = of.toLowerCase();
  const host = plan.hosts.find((each) => (mac === undefined ? each.name === name : each.macs.includes(mac)));
  const bySign = (mac === undefined ? leases.all() : []).filter((lease) => lease.name === name);
  const known = boots.rows().filter((row) => (mac === undefined ? row.host === name : row.mac === mac));
  const found = new Map<Mac, BootedMachine>();
  if (mac !== undefined) found.set(mac, { mac });
  for (const each of host?.macs ?? []) found.set(each, { mac: each });
  for (const lease of bySign) found.set(lease.mac, { mac: lease.mac, ...(lease.host && { host: name }) });
  for (const row of known) found.set(row.mac, { mac: row.mac, ...(row.host !== undefined && { host: row.host }) });
  return [...found.values()];
}

function hostsToCome(plan: Plan, rows: readonly BootRow[], lostSince: number | undefined): BootLine[] {
  const once = new Set(plan.boot.entries.filter((entry) => entry.once !== undefined).map(({ name }) => name));
  const known = new Set(rows.map(({ mac, entry }) => `${mac} ${entry}`));
  return plan.hosts.flatMap(({ name, macs, boot }): BootLine[] => {
    const [mac] = macs;
    if (mac === undefined || !once.has(boot) || macs.some((each) => known.has(`${each} ${boot}`))) return [];
    const line = { mac: formatMac(mac), name, entry: boot };
    if (lostSince === undefined) return [{ ...line, state: 'armed' }];
    return [{ ...line, state: 'lost', since: new Date(lostSince).toISOString() }];
  });
}

function lineOf(plan: Plan, row: BootRow): BootLine {
  const name = nameOfMachine(plan, row);
  const { state, askedAt } = row;
  const since = state.kind === 'armed' ? askedAt : state.since;
  return {
    mac: formatMac(row.mac),
    ...(name !== undefined && { name }),
    entry: row.entry,
    state: state.kind === 'done' ? state.by : state.kind,
    ...(since > 0 && { since: new Date(since).toISOString() }),
  };
}

function orderOf({ name = '', mac, entry }: BootLine): string {
  return `${name} ${mac} ${entry}`;
}

function refuse(context: Context, status: number, reason: string): void {
  context.status = status;
  context.body = `${reason}\n`;
}
