import { accessSync, closeSync, constants, existsSync, openSync, readSync, statSync } from 'node:fs';
import { hostname } from 'node:os';

import { isPublished } from '../images/image-row.ts';
import { imageIndex, readImageIndex } from '../images/open-image-store.ts';
import { imageKey } from '../images/streams/select-versions.ts';
import type { Plan } from '../plan/plan.ts';
import { HEADER_BYTES } from '../plan/program-kind.ts';
import type { StoredImage } from '../plan/stored-image.ts';
import type { Surroundings } from '../plan/surroundings.ts';
import { readKeyPair } from '../system/key-pair.ts';
import { createAddressReader } from '../system/interfaces.ts';
import { messageOf } from '../system/message-of.ts';

/**
 * Makes a survey of this machine as the config compiler sees it: interfaces and host name of the moment, files when asked
 * for. `running`: the Plan in force, whose interfaces are excused when they are away.
 */
export function createSurvey(): (running?: Plan) => Surroundings {
  const readLocalAddresses = createAddressReader();
  const images = createImageReader();
  return (running) => {
    const known = running && new Set(running.subnets.map((subnet) => subnet.interface));
    const excuses = (name: string): boolean => known?.has(name) ?? true;
    const interfaces = readLocalAddresses();
    const files = { fileExists, fileSize, firstBytes, directoryExists };
    return { hostName: hostname(), interfaces, excuses, ...files, keyPairFault, images };
  };
}

function fileExists(path: string): boolean {
  return fileSize(path) !== undefined;
}

function fileSize(path: string): number | undefined {
  try {
    accessSync(path, constants.R_OK);
    const stat = statSync(path);
    return stat.isFile() ? stat.size : undefined;
  } catch {
    return undefined;
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

function keyPairFault(certificate: string, key: string): string | undefined {
  try {
    const { notAfter } = readKeyPair(certificate, key);
    return notAfter < Date.now() ? `${certificate} expired on ${new Date(notAfter).toISOString()}` : undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/**
 * The index is read anew each time: it is small, and says what is on disk. What it said last is true still while it can't be read for
 * a write that hangs, and of images that it lost: no image is taken away without another in its place.
 */
function createImageReader(): (state: string) => readonly StoredImage[] {
  const last = new Map<string, readonly StoredImage[]>();
  return (state) => {
    const file = imageIndex(state);
    const before = last.get(state) ?? [];
    const memory = readImageIndex(file);
    if (!memory) return before;
    const isLost = memory.gap !== undefined || memory.isDamaged === true || !existsSync(file);
    const known = new Set(memory.images.map(imageKey));
    const lost = isLost ? before.filter((image) => !known.has(imageKey(image))) : [];
    const images = [...memory.images.filter(isPublished), ...lost];
    last.set(state, images);
    return images;
  };
}
