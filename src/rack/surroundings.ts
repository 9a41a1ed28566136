import { accessSync, constants, statSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { parseIp4 } from '../addr/ip4.ts';
import type { InterfaceAddress, Surroundings } from '../plan/surroundings.ts';

/** This machine as the config compiler sees it: interfaces and host name of now, files at the time they are asked for. */
export function surveySurroundings(): Surroundings {
  return { hostName: hostname(), interfaces: listInterfaces(), fileExists, directoryExists };
}

/** Interfaces that are up and have an IPv4 address: the operating system names no others here. */
function listInterfaces(): InterfaceAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([name, rows = []]) =>
    rows.flatMap((row) => {
      const address = row.family === 'IPv4' ? parseIp4(row.address) : undefined;
      return address === undefined ? [] : [{ name, address, prefix: Number(row.cidr?.split('/')[1] ?? 32) }];
    }),
  );
}

function fileExists(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function directoryExists(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
