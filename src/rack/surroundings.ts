import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { hostname } from 'node:os';

import type { Plan } from '../plan/plan.ts';
import { HEADER_BYTES } from '../plan/program-kind.ts';
import type { Surroundings } from '../plan/surroundings.ts';
import { createAddressReader } from '../system/interfaces.ts';

/**
 * Makes a survey of this machine as the config compiler sees it: interfaces and host name of the moment, files when asked
 * for. `running`: the Plan in force, whose interfaces are excused when they are away.
 */
export function createSurvey(): (running?: Plan) => Surroundings {
  const readLocalAddresses = createAddressReader();
  return (running) => {
    const known = running && new Set(running.subnets.map((subnet) => subnet.interface));
    const excuses = (name: string): boolean => known?.has(name) ?? true;
    const interfaces = readLocalAddresses();
    return { hostName: hostname(), interfaces, excuses, fileExists, firstBytes, directoryExists };
  };
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

/** Asked only for what `fileExists`. */
function firstBytes(path: string): Uint8Array | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const bytes = new Uint8Array(HEADER_BYTES);
    return bytes.subarray(0, readSync(fd, bytes));
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
