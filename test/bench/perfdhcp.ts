import type { VethPair } from './veth-pair.ts';

export interface Load {
  readonly server: string;
  /** DORAs a second. */
  readonly rate: number;
  readonly seconds: number;
  /** How many machines take part, each with a MAC of its own, and which pool of MACs they have. */
  readonly clients: number;
  readonly pool: number;
  readonly core: number;
  /** Tells when each packet came: costs perfdhcp time and memory. */
  readonly isTimed?: boolean;
}

/** Where perfdhcp runs. */
type Place = Pick<VethPair, 'ask' | 'clientInterface'>;

export interface LoadResult {
  /** DORAs that perfdhcp began and that came to their ACK. */
  readonly begun: number;
  readonly completed: number;
  /** DISCOVER to OFFER and REQUEST to ACK, in milliseconds; empty unless timed. */
  readonly offerDelays: readonly number[];
  readonly ackDelays: readonly number[];
}

/** Answers that come later than this after the last question count as lost; perfdhcp itself gives each one second. */
const WAIT_MICROSECONDS = 500_000;

/**
 * Runs perfdhcp. It plays a relay: its packets carry its own address as giaddr and go to `server` by unicast, the
 * replies come back to giaddr:67.
 */
export async function load(
  pair: Place,
  { server, rate, seconds, clients, pool, core, isTimed }: Load,
): Promise<LoadResult> {
  const argv = ['taskset', '-c', String(core), 'perfdhcp', '-4', '-g', 'single', '-l', pair.clientInterface];
  argv.push('-r', String(rate), '-p', String(seconds), '-W', String(WAIT_MICROSECONDS));
  argv.push('-R', String(clients), '-b', `mac=${poolMac(pool)}`, ...(isTimed ? ['-x', 't'] : []), server);
  const { stdout, output } = await pair.ask(argv);
  const discover = /DISCOVER-OFFER\*\*\*\s+sent packets: (\d+)/.exec(stdout)?.[1];
  const acked = ackedOf(stdout);
  if (discover === undefined || acked === undefined) throw new Error(`perfdhcp said:\n${output}`);
  return {
    begun: Number(discover),
    completed: acked,
    offerDelays: readDelays(stdout, 'DISCOVER-OFFER'),
    ackDelays: readDelays(stdout, 'REQUEST-ACK'),
  };
}

/** Whether one machine is offered an address: the server serves. */
export async function answersOne(pair: Place, server: string): Promise<boolean> {
  const once = ['-r', '100', '-n', '1', '-W', '50000', '-b', `mac=${poolMac(0xffff)}`];
  const { stdout } = await pair.ask(['perfdhcp', '-4', '-g', 'single', '-l', pair.clientInterface, ...once, server]);
  return /DISCOVER-OFFER\*\*\*\s+sent packets: 1\s+received packets: 1/.test(stdout);
}

function ackedOf(stdout: string): number | undefined {
  const received = /REQUEST-ACK\*\*\*\s+sent packets: \d+\s+received packets: (\d+)/.exec(stdout)?.[1];
  return received === undefined ? undefined : Number(received);
}

/** Locally administered; the last three bytes are perfdhcp's to count in. */
function poolMac(pool: number): string {
  const bytes = [0x02, (pool >> 8) & 0xff, pool & 0xff, 0, 0, 0];
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** Lines such as `sent / received: 000000.004098 / 000000.009149`, in seconds, under their exchange's heading. */
function readDelays(stdout: string, exchange: string): number[] {
  const heading = `***Timestamps for packets: ${exchange}***`;
  const start = stdout.indexOf(heading);
  if (start < 0) return [];
  const section = stdout.slice(start + heading.length).split('***', 1)[0] ?? '';
  const lines = section.matchAll(/^sent \/ received: ([\d.]+) \/ ([\d.]+)$/gm);
  return Array.from(lines, ([, sent, received]) => (Number(received) - Number(sent)) * 1000);
}
