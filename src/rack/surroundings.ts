import { accessSync, constants, statSync } from 'node:fs';
import { hostname } from 'node:os';

import type { Surroundings } from '../plan/surroundings.ts';
import { createAddressReader } from '../system/interfaces.ts';

/** Makes a survey of this machine as the config compiler sees it: interfaces and host name of the moment, files when asked for. */
export function createSurvey(): () => Surroundings {
  const readLocalAddresses = createAddressReader();
  return () => ({ hostName: hostname(), interfaces: readLocalAddresses(), fileExists, directoryExists });
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
