import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

import * as z from 'zod';

import { messageOf } from '../system/message-of.ts';
import { replaceFile } from '../system/replace-file.ts';
import { descriptionSchema } from './description.ts';

const VERSION = 1;
const profileSchema = z.object({
  name: z.string(),
  /** With version, and a slash at its end. */
  address: z.string(),
  key: z.object({ consumer: z.string(), token: z.string(), secret: z.string() }),
  /** Certificates that may vouch for it, PEM. */
  ca: z.string().optional(),
  /** SHA-256 of its public keys, in hex. */
  pins: z.array(z.string()).optional(),
  description: descriptionSchema,
});
/** Who an operator is at one region, and what that can do. */
export type Profile = z.output<typeof profileSchema>;

const fileSchema = z.object({ version: z.literal(VERSION), profiles: z.array(profileSchema) });

/** The file of profiles can't be believed, read or written. The message is a sentence. */
export class ProfilesFault extends Error {
  override readonly name = 'ProfilesFault';
}

/** Who an operator is at which region: in a file of his own, as there are keys in it. */
export class Profiles {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** In the order in which they were made. Throws ProfilesFault. */
  all(): readonly Profile[] {
    const text = this.#read();
    if (text === undefined) return [];
    let found: unknown;
    try {
      found = JSON.parse(text);
    } catch {
      throw this.#fault('is no JSON: take it away and log in again');
    }
    const { data } = fileSchema.safeParse(found);
    if (data) return data.profiles;
    throw this.#fault('is not as this rackboot writes it: take it away and log in again');
  }

  find(name: string): Profile | undefined {
    return this.all().find((profile) => profile.name === name);
  }

  /** In the place of one of its name. Throws ProfilesFault. */
  put(profile: Profile): void {
    const others = this.all().filter(({ name }) => name !== profile.name);
    this.#write([...others, profile]);
  }

  /** Tells whether there was one. Throws ProfilesFault. */
  remove(name: string): boolean {
    const all = this.all();
    const others = all.filter((profile) => profile.name !== name);
    if (others.length < all.length) this.#write(others);
    return others.length < all.length;
  }

  #read(): string | undefined {
    let fd: number;
    try {
      fd = openSync(this.#file, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw this.#fault(`can't be read: ${messageOf(error)}`);
    }
    try {
      if ((fstatSync(fd).mode & 0o077) !== 0)
        throw this.#fault('is open to others, and there are keys in it: `chmod 600` it, and have new keys made');
      return readFileSync(fd, 'utf8');
    } catch (error) {
      throw error instanceof ProfilesFault ? error : this.#fault(`can't be read: ${messageOf(error)}`);
    } finally {
      closeSync(fd);
    }
  }

  #write(profiles: readonly Profile[]): void {
    const directory = dirname(this.#file);
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      if ((statSync(directory).mode & 0o022) !== 0)
        throw new Error(`others may write in ${directory}: \`chmod 700\` it`);
      replaceFile(this.#file, `${JSON.stringify({ version: VERSION, profiles })}\n`, 0o600);
    } catch (error) {
      throw this.#fault(`can't be written: ${messageOf(error)}`);
    }
  }

  #fault(clause: string): ProfilesFault {
    return new ProfilesFault(`${this.#file} ${clause}`);
  }
}
