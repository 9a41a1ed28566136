import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, globSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath, geteuid } from 'node:process';
import { it } from 'node:test';

import type { RackEvent } from '../../src/timeline/event.ts';
import { isUp } from '../../src/lab/boot-phases.ts';
import { INITRD_PATH, KERNEL_PATH } from '../../src/lab/config.ts';
import { LabError } from '../../src/lab/lab-error.ts';
import { createMirrorKey, writeMirror, type MirrorKey } from '../../src/lab/mirror.ts';
import { openLab, prepareLab, type Lab } from '../../src/lab/open-lab.ts';

const RACKBOOT = [execPath, join(import.meta.dirname, '../../src/main.ts')];
const WAY = { firmware: 'bios', loader: 'none' } as const;
const HARDWARE = { accel: 'tcg', cores: 2, memoryMebibytes: 1024, diskBytes: 2 ** 30 };
/** As for a machine that boots alone. */
const TIMEOUT_SECONDS = 240;

/** Why there can be no boot here, or false. */
async function reasonToSkip(): Promise<string | false> {
  if (geteuid?.() !== 0) return 'network namespaces and taps need root';
  try {
    await prepareLab(WAY, console.error);
    return false;
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    return error.message;
  }
}

/** The mirror that a lab's rack imports from, and what it can be made to say. */
class Mirror {
  readonly #directory: string;
  readonly #files: string;
  readonly #key: MirrorKey;

  constructor({ workspace }: Lab, key: MirrorKey) {
    this.#directory = join(workspace.directory, 'mirror');
    this.#files = join(workspace.directory, 'files');
    this.#key = key;
  }

  /** A version whose initrd is another one by the zeros behind it. */
  async offer(version: string, key = this.#key): Promise<void> {
    const initrd = join(this.#files, 'next-initrd.gz');
    copyFileSync(join(this.#files, INITRD_PATH), initrd);
    appendFileSync(initrd, Buffer.alloc(512 * Number(version.slice(-2))));
    const kernel = join(this.#files, KERNEL_PATH);
    await writeMirror(this.#directory, key, { architecture: 'amd64', kernel, initrd, version });
    // Whoever signs: the rack knows one key
    writeFileSync(`${this.#directory}.asc`, this.#key.publicKey);
  }

  find(name: string): string {
    const [file = assert.fail(`the mirror has no ${name}`)] = globSync(join(this.#directory, '**', name));
    return file;
  }
}

function changeOneByte(file: string): void {
  const bytes = readFileSync(file);
  bytes[1000] = (bytes[1000] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

async function bootedWith(lab: Lab): Promise<RackEvent[]> {
  const events = lab.rack.events();
  await lab.switchOn(HARDWARE);
  const seen: RackEvent[] = [];
  for await (const event of events) {
    seen.push(event);
    if (isUp(event)) return seen;
  }
  throw new Error('the rack stopped telling what happens');
}

it(
  'an image that is signed by another, changed, cut short or not there is refused, and a machine boots the one before it',
  { skip: await reasonToSkip(), timeout: TIMEOUT_SECONDS * 1000 },
  async (t) => {
    await using lab = await openLab(RACKBOOT, WAY, (line) => t.diagnostic(line), t.signal);
    const rackboot = (...words: string[]) => lab.network.run([...RACKBOOT, ...words, '--config', lab.workspace.config]);
    const mirror = new Mirror(lab, await createMirrorKey());
    await mirror.offer('20260201');
    const first = await rackboot('images', 'import');
    assert.match(first.output, /debian\/lab\/amd64\S* 20260201 is here/);

    const lies: [version: string, tell: (version: string) => Promise<void>, says: RegExp][] = [
      [
        '20260202',
        async (version) => mirror.offer(version, await createMirrorKey()),
        /signature refused: key [0-9A-F]{16}: is not in the keyring/,
      ],
      [
        '20260203',
        async (version) => {
          await mirror.offer(version);
          changeOneByte(mirror.find(join(version, '**', 'boot-initrd')));
        },
        /boot-initrd: expected sha256 [0-9a-f]{64}, found [0-9a-f]{64}; 20260201 stays/,
      ],
      [
        '20260204',
        async (version) => {
          await mirror.offer(version);
          truncateSync(mirror.find(join(version, '**', 'boot-initrd')), 1000);
        },
        /boot-initrd: expected \d+ bytes, found 1000; 20260201 stays/,
      ],
      [
        '20260205',
        async (version) => {
          await mirror.offer(version);
          rmSync(mirror.find(join(version, '**', 'boot-initrd')));
        },
        /boot-initrd: no such file; 20260201 stays/,
      ],
      [
        '20260206',
        async (version) => {
          await mirror.offer(version);
          rmSync(mirror.find('*download*.sjson'));
        },
        /download\S*: no such file; what is here from it stays/,
      ],
    ];
    for (const [version, tell, says] of lies) {
      await tell(version);
      const { code, output } = await rackboot('images', 'import');
      assert.equal(code, 1, output);
      assert.match(output, says);
    }

    const events = await bootedWith(lab);
    const sent = events.filter((event) => event.kind === 'http.sent').map(({ path }) => path);
    const listed = await rackboot('images', '--json');
    assert.match(listed.output, /"version":"20260201"/);
    assert.ok(
      sent.some((path) => /\/images\/[0-9a-f]{64}\/boot-initrd$/.test(path)),
      sent.join(' '),
    );
  },
);
