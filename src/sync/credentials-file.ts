import { readFileSync, statSync } from 'node:fs';

import * as z from 'zod';

import { messageOf } from '../system/message-of.ts';
import { replaceFile } from '../system/replace-file.ts';
import { RackSecret } from './rack-secret.ts';

/** Who this rack is, as its region knows it. */
export interface Credentials {
  /** Its uuid; absent: it is not enrolled yet. */
  readonly rack?: string;
  readonly key?: RackSecret;
  /** A key that takes the place of the other. */
  readonly next?: RackSecret;
  /** The one that `key` took the place of: all that a region knows which was put back to an older time. */
  readonly previous?: RackSecret;
  /** The last order to take a new key that was begun. */
  readonly rotated?: number;
  /** The region that it is enrolled with. */
  readonly url?: string;
  /** An enrolment that may have been done, and was not answered. `token`: its SHA-256, hex. */
  readonly pending?: { readonly key: RackSecret; readonly token: string; readonly url: string };
}

const LARGEST = 64 * 1024;

const key = z.string().transform((text, context) => {
  try {
    return new RackSecret(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: messageOf(error) });
    return z.NEVER;
  }
});
const schema = z.object({
  rack: z.uuid().optional(),
  key: key.optional(),
  next: key.optional(),
  previous: key.optional(),
  rotated: z.int().min(1).optional(),
  url: z.string().optional(),
  pending: z.object({ key, token: z.string(), url: z.string() }).optional(),
});

/** The file that `rackboot enrol` writes, and the rack itself when it changes its key. */
export class CredentialsFile {
  readonly path: string;
  readonly #state: string;

  /** `state`: the rack's directory. Whose that is, is the file: `rackboot enrol` may be called by another than the daemon runs as. */
  constructor(path: string, state: string) {
    this.path = path;
    this.#state = state;
  }

  /** Something that is another when the file is. Undefined where there is none. */
  stamp(): string | undefined {
    try {
      const { ino, mtimeMs, size } = statSync(this.path);
      return `${ino} ${mtimeMs} ${size}`;
    } catch {
      return undefined;
    }
  }

  /** Nothing in it where there is none. Throws an Error that says what is wrong, and nothing of a key. */
  read(): Credentials {
    const text = this.#readText();
    if (text === undefined) return {};
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      // What a parser says quotes the text
      throw new Error(`${this.path}: expected JSON as \`rackboot enrol\` writes it`);
    }
    const result = schema.safeParse(value);
    if (result.success) return withoutAbsent(result.data);
    const [issue] = result.error.issues;
    throw new Error(
      `${this.path}: ${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'is of another shape'}`,
    );
  }

  /** Whole or not at all, and for its owner only. Throws what the disk says. */
  write({ rack, key: secret, next, previous, rotated, url, pending }: Credentials): void {
    const content = {
      rack,
      key: secret?.reveal(),
      next: next?.reveal(),
      previous: previous?.reveal(),
      rotated,
      url,
      pending: pending && { ...pending, key: pending.key.reveal() },
    };
    replaceFile(this.path, `${JSON.stringify(content, undefined, 2)}\n`, 0o600, ownerOf(this.#state));
  }

  #readText(): string | undefined {
    const stat = statSync(this.path, { throwIfNoEntry: false });
    if (!stat) return undefined;
    if (!stat.isFile() || stat.size > LARGEST) throw new Error(`${this.path}: expected a small file of credentials`);
    return readFileSync(this.path, 'utf8');
  }
}

/** Undefined where there is none yet: who makes it settles that. */
function ownerOf(directory: string): { uid: number; gid: number } | undefined {
  const stat = statSync(directory, { throwIfNoEntry: false });
  return stat && { uid: stat.uid, gid: stat.gid };
}

function withoutAbsent(data: z.output<typeof schema>): Credentials {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
}
