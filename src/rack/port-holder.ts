import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

import type { SocketHandle } from '../service/letters.ts';

/**
 * " (dnsmasq, process 812)" for whoever has a port open, as far as /proc lets us see; '' otherwise. Only for
 * messages: by the time it is read the answer may have changed.
 */
export function describePortHolder(transport: SocketHandle['transport'], port: number): string {
  try {
    const inodes = socketInodes(transport, port);
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      if (holdsOne(pid, inodes)) return ` (${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()}, process ${pid})`;
    }
  } catch {
    // No /proc, or none of our business: the message does without
  }
  return '';
}

/**
 * /proc/net/udp: "sl local_address rem_address st …", addresses in hex, the inode in the tenth column. A socket on
 * [::] takes the port of IPv4, too, and stands in udp6.
 */
function socketInodes(transport: string, port: number): Set<string> {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const tables = [transport, `${transport}6`].filter((table) => existsSync(`/proc/net/${table}`));
  const rows = tables.flatMap((table) => readFileSync(`/proc/net/${table}`, 'utf8').split('\n').slice(1));
  const columns = rows.map((row) => row.trim().split(/\s+/));
  return new Set(columns.filter((row) => row[1]?.endsWith(`:${hexPort}`)).map((row) => `socket:[${row[9] ?? ''}]`));
}

function holdsOne(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => inodes.has(readlink(`/proc/${pid}/fd/${fd}`)));
  } catch {
    return false;
  }
}

function readlink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
