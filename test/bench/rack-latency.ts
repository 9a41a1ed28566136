import { join } from 'node:path';
import { execPath } from 'node:process';

import type { RackRig } from '../interop/rack-rig.ts';

const CLIENT = join(import.meta.dirname, 'dhcp-latency.ts');

/** How a rack's DHCP fared. Milliseconds from DISCOVER to ACK. */
export interface Latency {
  readonly answered: number;
  readonly lost: number;
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
}

/** A constant load of so many DORA a second, for so long. Throws what the client says that can't make it. */
export async function measureLatency(rig: RackRig, seconds: number, perSecond: number): Promise<Latency> {
  const { stdout, output, code } = await rig.client(execPath, CLIENT, String(seconds), String(perSecond));
  if (code !== 0) throw new Error(output);
  return JSON.parse(stdout) as Latency;
}
