import { chmodSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

import * as z from 'zod';

import { replaceFile } from '../system/replace-file.ts';
import { messageOf } from '../system/message-of.ts';
import { descriptionSchema } from './description.ts';

const profileSchema = z.object({
  url: z.string(),
  key: z.object({ consumer: z.string(), token: z.string(), secret: z.string() }),
  description: descriptionSchema,
  /** Absolute path of certificates that may vouch for it. */
  ca: z.string().optional(),
});
export type Profile = z.output<typeof profileSchema>;

const profilesSchema = z.record(z.string(), profileSchema);

/** Who an operator is at which region, in a file of his own. */
export class Profiles {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Throws a sentence when the file can't be believed: keys are in it. */
  all(): Record<string, Profile> {
    if (!existsSync(this.#file)) return {};
    const { mode } = statSync(this.#file);
    if ((mode & 0o077) !== 0)
      throw new Error(`${this.#file}: others may read or write it: \`chmod 600\` it, as keys are in it`);
    try {
      return profilesSchema.parse(JSON.parse(readFileSync(this.#file, 'utf8')));
    } catch (error) {
      throw new Error(
        `${this.#file} can't be read: ${error instanceof z.ZodError ? 'it is of another shape' : messageOf(error)}`,
        { cause: error },
      );
    }
  }

  set(name: string, profile: Profile): void {
    this.#write({ ...this.all(), [name]: profile });
  }

  /** Tells whether there was one. */
  remove(name: string): boolean {
    const { [name]: gone, ...rest } = this.all();
    if (gone) this.#write(rest);
    return gone !== undefined;
  }

  #write(profiles: Record<string, Profile>): void {
    const directory = dirname(this.#file);
    if (!existsSync(directory)) {
      mkdirSync(directory, { recursive: true });
      chmodSync(directory, 0o700);
    }
    replaceFile(this.#file, `${JSON.stringify(profiles, undefined, 1)}\n`, 0o600);
  }
}
