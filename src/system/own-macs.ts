import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parseMac, type Mac } from '../addr/mac.ts';

/** Where the kernel shows the interfaces: also those without an address or a carrier, which `os.networkInterfaces` leaves out. */
const INTERFACES = '/sys/class/net';

/** The MACs of this machine's interfaces; none where the kernel does not show them. */
export function readOwnMacs(directory: string = INTERFACES): Mac[] {
  const macs: Mac[] = [];
  for (const name of attempt(() => readdirSync(directory)) ?? []) {
    const mac = parseMac(attempt(() => readFileSync(join(directory, name, 'address'), 'latin1'))?.trim() ?? '');
    // The loopback has 0
    if (mac) macs.push(mac);
  }
  return macs;
}

/** An interface may go at any moment. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
