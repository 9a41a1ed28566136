import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChildProcess } from 'node:child_process';

import type { ImageList } from '../../src/rack/image-routes.ts';
import { generateKey, readPrivateKey, reformatKey, revokeKey } from 'openpgp';

import { writeStream } from '../../src/images/write-stream.ts';
import { createMirrorKey, writeMirror, type MirrorKey } from '../../src/lab/mirror.ts';
import { askDaemon } from '../../src/cli/control-client.ts';
import { runCommand } from '../../src/lab/run-command.ts';
import { CLIENT, RACK, RackRig, reasonToSkip } from './rack-rig.ts';

/** `RACKBOOT_IMPORT_BYTES=2000000000 node --test test/interop/images.test.ts` is the long run. */
const BYTES = Number(process.env['RACKBOOT_IMPORT_BYTES'] ?? 48 * 2 ** 20);
/** The most that one cut may cost: what is gathered before it is written. */
const BLOCK = 2 ** 20;
const CUTS = 10;
/** Where the last cut may be: behind it, all of a small file may be on its way already, in the sockets' buffers. */
const MOST_CUT = 0.7;
const REPLACEMENTS = 20;
const SERVER = join(import.meta.dirname, 'mirror-server.ts');
const BOOTS = join(import.meta.dirname, 'image-boots.ts');
const HARMLESS_KERNEL = 'HdrS';

function config(state: string, more: string): string {
  return `
rack: { name: rack-t, state: ${state}, control: $DIR/control.sock }
subnets:
  - { cidr: 192.168.127.0/24, interface: rack0, management: dhcp, dynamic: 192.168.127.100-192.168.127.199 }
boot:
  default: lab
  files: $DIR/files
  entries: { lab: { image: debian/lab, loop: off } }
images:
  sources: [{ name: mirror, url: "http://${CLIENT}:8000/", keyring: $DIR/mirror.asc }]
${more}
`;
}

/** A mirror on the clients' end of the wire, of `$DIR/mirror`. */
class Mirror implements AsyncDisposable {
  readonly #rig: RackRig;
  readonly #key: MirrorKey;
  #server: ChildProcess | undefined;

  static async start(rig: RackRig, key?: MirrorKey): Promise<Mirror> {
    const mirror = new Mirror(rig, key ?? (await createMirrorKey()));
    mkdirSync(join(rig.directory, 'mirror'));
    writeFileSync(mirror.#log, '');
    const place = [CLIENT, '8000', join(rig.directory, 'mirror'), mirror.#log];
    const server = rig.startClient(execPath, SERVER, ...place);
    mirror.#server = server;
    await firstLine(server);
    return mirror;
  }

  private constructor(rig: RackRig, key: MirrorKey) {
    this.#rig = rig;
    this.#key = key;
  }

  /** `key`: who signs it; the keyring stays as it is. */
  async show(version: string, kernel: Uint8Array, initrd: Uint8Array, key = this.#key): Promise<void> {
    const files = {
      kernel: join(this.#rig.directory, `kernel-${version}`),
      initrd: join(this.#rig.directory, `initrd-${version}`),
    };
    writeFileSync(files.kernel, kernel);
    writeFileSync(files.initrd, initrd);
    await writeMirror(this.directory, key, { architecture: 'amd64', version, ...files });
    this.trust(this.#key.publicKey);
  }

  /** Who may sign it, as the rack takes it. */
  trust(publicKey: string): void {
    writeFileSync(join(this.#rig.directory, 'mirror.asc'), publicKey);
  }

  /** Changes a file that it shows. */
  change(path: string, to: (text: string) => string): void {
    const file = join(this.directory, path);
    writeFileSync(file, to(readFileSync(file, 'latin1')), 'latin1');
  }

  get directory(): string {
    return join(this.#rig.directory, 'mirror');
  }

  reset(): void {
    this.#server?.kill('SIGUSR2');
  }

  /** From which byte on files whose path has this in it were asked for, in order. */
  askedFrom(part: string): number[] {
    const lines = readFileSync(this.#log, 'utf8').trim().split('\n');
    const asked = lines
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { path: string; first: number });
    return asked.filter(({ path }) => path.includes(part)).map(({ first }) => first);
  }

  get #log(): string {
    return join(this.#rig.directory, 'mirror.log');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server) return;
    const exited = once(this.#server, 'exit');
    this.#server.kill('SIGKILL');
    await exited;
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  assert.ok(child.stdout);
  const lines = createInterface({ input: child.stdout });
  const [line] = (await once(lines, 'line')) as [string];
  return line;
}

/** It says which version it is and how long it is, and is a kernel as far as the rack can see. */
function fileOf(version: string, size: number): Buffer {
  const bytes = Buffer.alloc(size, '.');
  bytes.write(`${version} ${size} `);
  bytes.write(HARMLESS_KERNEL, 0x202);
  return bytes;
}

async function importWhole(rig: RackRig): Promise<void> {
  const { code, output } = await rig.rackboot('images', 'import');
  assert.equal(code, 0, output);
}

test(
  `machines that boot while their image is replaced ${REPLACEMENTS} times get a kernel and an initrd of one version`,
  { skip: await reasonToSkip(), timeout: 180_000 },
  async (t) => {
    await using rig = await RackRig.create('replace', config('$DIR/state', '  interval: off'));
    await using mirror = await Mirror.start(rig);
    await mirror.show('1', fileOf('1', 300_000), fileOf('1', 200_000));
    await rig.start();
    await rig.until('the first version', async () =>
      (await imagesOf(rig)).images.some(({ entries }) => entries.length > 0),
    );
    const boots = rig.startClient(execPath, BOOTS, `http://${RACK}:5248`, '52-54-00-00-00-09');
    const lines: string[] = [];
    assert.ok(boots.stdout);
    createInterface({ input: boots.stdout }).on('line', (line) => lines.push(line));
    for (let version = 2; version <= REPLACEMENTS + 1; version++) {
      await mirror.show(String(version), fileOf(String(version), 300_000), fileOf(String(version), 200_000));
      await importWhole(rig);
      await delay(250);
    }
    const exited = once(boots, 'close');
    boots.kill('SIGTERM');
    await exited;
    const seen = JSON.parse(lines.at(-1) ?? '') as { versions: Record<string, number>; faults: string[] };
    const count = Object.values(seen.versions).reduce((sum, each) => sum + each, 0);
    t.diagnostic(`${count} boots of ${Object.keys(seen.versions).length} versions`);
    assert.deepEqual(seen.faults, []);
    assert.ok(count > REPLACEMENTS && Object.keys(seen.versions).length > REPLACEMENTS / 2, JSON.stringify(seen));
    assert.equal(Object.keys(seen.versions).includes('none'), false);
  },
);

test(
  'what is refused is told with its reason, and the image from before still boots',
  { skip: await reasonToSkip() },
  async () => {
    await using rig = await RackRig.create('refuse', config('$DIR/state', '  interval: off'));
    await using mirror = await Mirror.start(rig);
    await mirror.show('1', fileOf('1', 3_000), fileOf('1', 2_000));
    await rig.start();
    await rig.until('the first version', async () =>
      (await imagesOf(rig)).images.some(({ entries }) => entries.length > 0),
    );
    await mirror.show('2', fileOf('2', 3_000), fileOf('2', 2_000));
    const kernel = join(rig.directory, 'mirror/debian/lab/amd64/stable/2/generic/boot-kernel');
    writeFileSync(kernel, fileOf('3', 3_000));
    const refused = await rig.rackboot('images', 'import');
    assert.equal(refused.code, 1, refused.output);
    assert.match(refused.stdout, /boot-kernel: expected sha256 [0-9a-f]{64}, found [0-9a-f]{64}; 1 stays/);
    const listed = await rig.rackboot('images');
    assert.equal(listed.code, 1);
    assert.match(listed.stdout, /^debian\/lab\/amd64\/generic +stable +1 .* published .* booted by lab$/m);
    assert.match(listed.stdout, /^ {2}debian\/lab\/amd64\/generic\/generic\/stable 2: .*expected sha256/m);
    const { stdout: script } = await rig.client('curl', '-s', `http://${RACK}:5248/ipxe/52-54-00-00-00-09`);
    const url = /^kernel (\S+)/m.exec(script)?.[1] ?? '';
    const fetched = await rig.client('curl', '-s', url);
    assert.match(fetched.stdout, /^1 3000 /);
    writeFileSync(kernel, fileOf('2', 3_000));
    await importWhole(rig);
    assert.equal((await rig.rackboot('images')).code, 0);
    assert.equal((await rig.rackboot('images', 'remove', 'debian/lab')).code, 1);
    assert.equal((await rig.rackboot('images', 'verify')).code, 0);
    assert.equal((await rig.rackboot('images', 'gc')).code, 0);
  },
);

const DAY = 86_400_000;
const PRODUCTS = 'streams/v1/rackboot:images:download.sjson';
const KERNEL_2 = 'debian/lab/amd64/stable/2/generic/boot-kernel';
const [KERNEL, INITRD] = [(version: string) => fileOf(version, 3_000), (version: string) => fileOf(version, 2_000)];

/** What a liar, or a mirror that is broken, does with version 2 of an image of which 1 is here. */
interface Lie {
  readonly what: string;
  readonly tell: (mirror: Mirror, key: MirrorKey, rig: RackRig) => Promise<void> | void;
  readonly says: RegExp;
}

const show2 = (mirror: Mirror, key?: MirrorKey) => mirror.show('2', KERNEL('2'), INITRD('2'), key);
const LIES: readonly Lie[] = [
  {
    what: 'a key that is not in the keyring',
    tell: async (mirror) => show2(mirror, await createMirrorKey()),
    says: /index\.sjson: signature refused: key [0-9A-F]{16}: is not in the keyring \(.*mirror\.asc has [0-9A-F]{16}\)/,
  },
  {
    what: 'a text that was changed after it was signed',
    tell: async (mirror) => {
      await show2(mirror);
      mirror.change(PRODUCTS, (text) => text.replaceAll('"size": 3000', '"size": 3001'));
    },
    says: /download\.sjson: signature refused: key [0-9A-F]{16}: /,
  },
  {
    what: 'products without a signature',
    tell: async (mirror) => {
      await show2(mirror);
      mirror.change(PRODUCTS, () => '{"format":"products:1.0","products":{}}');
    },
    says: /download\.sjson: expected a clear-signed text/,
  },
  {
    what: 'a keyring that is gone',
    tell: async (mirror, _key, rig) => {
      await show2(mirror);
      rmSync(join(rig.directory, 'mirror.asc'));
    },
    says: /the keyring .*mirror\.asc: no such file/,
  },
  {
    what: 'a key that has expired',
    tell: async (mirror, key) => {
      await show2(mirror);
      mirror.trust(await expired(key));
    },
    says: /index\.sjson: signature refused: key [0-9A-F]{16}: expired at \d{4}-.*Z \(.*mirror\.asc has /,
  },
  {
    what: 'a key that is revoked',
    tell: async (mirror, key) => {
      await show2(mirror);
      mirror.trust(await revokedKey(key));
    },
    says: /index\.sjson: signature refused: key [0-9A-F]{16}: is revoked/,
  },
  {
    what: 'a file with another content',
    tell: async (mirror) => {
      await show2(mirror);
      mirror.change(KERNEL_2, (text) => text.replace('2 3000', '6 3000'));
    },
    says: /boot-kernel: expected sha256 [0-9a-f]{64}, found [0-9a-f]{64}; 1 stays/,
  },
  {
    what: 'a file that is cut short',
    tell: async (mirror) => {
      await show2(mirror);
      mirror.change(KERNEL_2, (text) => text.slice(0, 1_000));
    },
    says: /boot-kernel: ends before byte 1000; 1 stays/,
  },
  {
    what: 'a file that is longer',
    tell: async (mirror) => {
      await show2(mirror);
      mirror.change(KERNEL_2, (text) => `${text}more`);
    },
    says: /boot-kernel: expected 3000 bytes, found more; 1 stays/,
  },
  {
    what: 'a product that is missing',
    tell: async (mirror, key) => {
      const { privateKey } = key;
      await writeStream(mirror.directory, { images: [], pathOf: () => '', key: privateKey, now: Date.now() });
    },
    says: /debian\/lab\/amd64\/generic\/generic\/stable: is no longer in it; 1 stays/,
  },
  {
    what: 'a version of before',
    tell: async (mirror) => mirror.show('0', KERNEL('0'), INITRD('0')),
    says: /went back from version 1 to 0; 1 stays/,
  },
  {
    what: 'an index of before',
    tell: async (mirror, key) => {
      await writeStream(mirror.directory, { images: [], pathOf: () => '', key: key.privateKey, now: Date.now() - DAY });
    },
    says: /index\.sjson: of .*, and one of .* was read before: .*; what is here from it stays/,
  },
];

test(
  'whatever a mirror lies about, it is told with its reason, and machines go on with the version from before',
  { skip: await reasonToSkip(), timeout: 300_000 },
  async (t) => {
    await using rig = await RackRig.create('lies', config('$DIR/state', '  interval: off'));
    const key = await generateKey({ userIDs: [{ name: 'mirror' }], date: new Date(Date.now() - 9 * DAY) });
    await using mirror = await Mirror.start(rig, key);
    await mirror.show('1', KERNEL('1'), INITRD('1'));
    await rig.start();
    await rig.until('the first version', async () =>
      (await imagesOf(rig)).images.some(({ entries }) => entries.length > 0),
    );
    for (const { what, tell, says } of LIES) {
      await t.test(what, async () => {
        await tell(mirror, key, rig);
        const { code, stdout, output } = await rig.rackboot('images', 'import');
        assert.equal(code, 1, output);
        assert.match(stdout, says);
        const { stdout: script } = await rig.client('curl', '-s', `http://${RACK}:5248/ipxe/52-54-00-00-00-09`);
        const urls = Array.from(script.matchAll(/http:\/\/\S+\/boot-\w+/g), ([url]) => url);
        assert.equal(new Set(urls).size, 2, script);
        for (const url of urls) assert.match((await rig.client('curl', '-s', url)).stdout, /^1 [23]000 /);
        assert.match((await rig.rackboot('images')).stdout, /^debian\/lab\/amd64\/generic +stable +1 .* published /m);
      });
    }
    await show2(mirror);
    await importWhole(rig);
    assert.equal((await rig.rackboot('images')).code, 0);
  },
);

/** The same key, as its owner said once that it ends yesterday. */
async function expired({ privateKey }: MirrorKey): Promise<string> {
  const own = await readPrivateKey({ armoredKey: privateKey });
  const date = new Date(Date.now() - 8 * DAY);
  const { publicKey } = await reformatKey({
    privateKey: own,
    userIDs: [{ name: 'mirror' }],
    keyExpirationTime: (8 * DAY) / 1000,
    date,
  });
  return publicKey;
}

async function revokedKey({ privateKey }: MirrorKey): Promise<string> {
  const { publicKey } = await revokeKey({ key: await readPrivateKey({ armoredKey: privateKey }) });
  return publicKey;
}

test(
  "an operator's own files are an image, with and without a daemon, and a mirror of them is one for others",
  { skip: await reasonToSkip() },
  async () => {
    const sources = '  interval: off';
    await using rig = await RackRig.create(
      'own',
      config('$DIR/state', sources).replaceAll('debian/lab', 'custom/rescue'),
    );
    const path = (name: string): string => join(rig.directory, name);
    writeFileSync(path('mirror.asc'), '');
    writeFileSync(path('k'), fileOf('1', 3_000));
    writeFileSync(path('i'), fileOf('1', 2_000));
    const add = (...words: string[]) => rig.rackboot('images', 'add', 'custom/rescue', '--kernel', path('k'), ...words);
    const asleep = await add('--initrd', path('i'));
    assert.equal(asleep.code, 0, asleep.output);
    await rig.start();
    const script = () => rig.client('curl', '-s', `http://${RACK}:5248/ipxe/52-54-00-00-00-09`);
    assert.match(
      (await script()).stdout,
      /^initrd --name initrd0 http:\/\/192\.168\.127\.1:5248\/images\/[0-9a-f]{64}\/boot-initrd/m,
    );
    // A version is told from the one before by its second
    await delay(1_000);
    const awake = await add();
    assert.equal(awake.code, 0, awake.output);
    await rig.until('the new image', async () => !(await script()).stdout.includes('boot-initrd'));
    const exported = await rig.rackboot('images', 'export', path('out'));
    assert.equal(exported.code, 0, exported.output);
    assert.match(exported.stdout, /^1 versions, 3000 bytes in .*, not signed/);
    rig.writeConfig(
      config('$DIR/other', `    - { name: out, url: "file://${path('out')}", unsigned: true }\n  interval: off`)
        .replace(/  sources: .*\n/, '  sources:\n')
        .replaceAll('debian/lab', 'custom/rescue'),
    );
    await rig.end('SIGTERM');
    await rig.start();
    await rig.until('the import', async () => (await imagesOf(rig)).images.some(({ entries }) => entries.length > 0));
    assert.match((await script()).stdout, /\/boot-kernel BOOTIF/);
    for (const [words, says] of [
      [['custom'], /expected a name like custom\/rescue/],
      [['custom/x'], /expected --kernel FILE, or --iso FILE/],
      [['custom/x', '--iso', path('k')], /expected an ISO 9660 image/],
      [['custom/x', '--kernel', path('none')], /no such file/],
    ] as const) {
      const refused = await rig.rackboot('images', 'add', ...words);
      assert.equal(refused.code, 1);
      assert.match(refused.output, says);
    }
    assert.equal((await rig.rackboot('images', 'polish')).code, 2);
    assert.equal((await rig.rackboot('images', 'gc', '--iso', 'x')).code, 2);
  },
);

test(
  `an import of ${BYTES} bytes that is cut at ${CUTS} points, by resets, kills and a full disk, goes on each time from where it was`,
  { skip: (await reasonToSkip()) || (await reasonWithoutLoop()), timeout: 300_000 + BYTES / 1_000 },
  async (t) => {
    const pace = Math.ceil(Math.max(BYTES / 10, 8 * 2 ** 20) / 2 ** 20);
    const words = `  interval: off\n  bandwidth: ${pace}MiB/s\n  parallel: 1`;
    await using rig = await RackRig.create('cuts', config('$DIR/disk/state', words));
    await using disk = await Disk.mount(
      join(rig.directory, 'disk'),
      join(rig.directory, 'disk.img'),
      Math.ceil(BYTES * 1.3) + 64 * 2 ** 20,
    );
    await using mirror = await Mirror.start(rig);
    const initrd = randomFile(join(rig.directory, 'random'), BYTES);
    await mirror.show('1', fileOf('1', 3_000), readFileSync(initrd.file));
    const part = join(rig.directory, 'disk/state/images/partial', initrd.sha256);
    const size = (): number => statSync(part, { throwIfNoEntry: false })?.size ?? 0;
    const points = Array.from({ length: CUTS }, (_, i) => Math.floor(((i + Math.random()) / CUTS) * MOST_CUT * BYTES));
    const expected: number[] = [];
    await rig.start();
    for (const [i, point] of points.entries()) {
      await rig.until(`byte ${point}`, async () => size() >= point, 60 + BYTES / 1e6);
      const asked = mirror.askedFrom('boot-initrd').length;
      if (i % 3 === 0) mirror.reset();
      else if (i % 3 === 1) {
        await rig.end('SIGKILL');
        expected.push(size());
        await rig.start();
      } else {
        const before = await refusals(rig);
        disk.fill();
        await rig.until('the disk to be too full', async () => (await refusals(rig)) > before);
        expected.push(size());
        disk.clear();
        void rig.rackboot('images', 'import');
      }
      await rig.until('the next question', async () => mirror.askedFrom('boot-initrd').length > asked);
      if (i % 3 !== 0) assert.equal(mirror.askedFrom('boot-initrd').at(-1), expected.at(-1));
    }
    await rig.until(
      'the end',
      async () => (await imagesOf(rig)).images.some(({ entries }) => entries.length > 0),
      60 + BYTES / 1e6,
    );
    const asked = mirror.askedFrom('boot-initrd');
    t.diagnostic(`asked from ${asked.map((first) => (first / BLOCK).toFixed(1)).join(', ')} MiB on`);
    assert.equal(asked.length, CUTS + 1);
    assert.deepEqual(
      asked,
      asked.toSorted((a, b) => a - b),
    );
    const whole = join(rig.directory, 'disk/state/images/sha256', initrd.sha256);
    assert.equal(createHash('sha256').update(readFileSync(whole)).digest('hex'), initrd.sha256);
  },
);

/** How often an import found no room. */
async function refusals(rig: RackRig): Promise<number> {
  const events = await rig.events();
  return events.filter((event) => event.kind === 'image.refused' && /no room|disk is full/.test(event.reason)).length;
}

function imagesOf(rig: RackRig): Promise<ImageList> {
  return askDaemon<ImageList>(rig.control, '/images');
}

function randomFile(file: string, size: number): { file: string; sha256: string } {
  const hash = createHash('sha256');
  const fd = openSync(file, 'w');
  for (let left = size; left > 0; left -= BLOCK) {
    const block = randomBytes(Math.min(BLOCK, left));
    hash.update(block);
    writeSync(fd, block);
  }
  closeSync(fd);
  return { file, sha256: hash.digest('hex') };
}

async function reasonWithoutLoop(): Promise<string | false> {
  const made = await runCommand(['sh', '-c', 'command -v mkfs.ext4 && losetup -f']);
  return made.code === 0 ? false : 'needs mkfs.ext4 and a loop device';
}

/** A small disk of its own. */
class Disk implements AsyncDisposable {
  readonly #place: string;

  static async mount(place: string, file: string, bytes: number): Promise<Disk> {
    mkdirSync(place);
    const steps = [
      ['truncate', '-s', String(bytes), file],
      ['mkfs.ext4', '-q', '-m', '0', file],
      ['mount', '-o', 'loop', file, place],
    ];
    for (const step of steps) {
      const { code, output } = await runCommand(step);
      if (code !== 0) throw new Error(`${step.join(' ')}: ${output}`);
    }
    return new Disk(place);
  }

  private constructor(place: string) {
    this.#place = place;
  }

  /** To the last byte. */
  fill(): void {
    const fd = openSync(join(this.#place, 'filler'), 'w');
    const block = Buffer.alloc(BLOCK);
    try {
      for (;;) writeSync(fd, block);
    } catch {
      closeSync(fd);
    }
  }

  clear(): void {
    writeFileSync(join(this.#place, 'filler'), '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await runCommand(['umount', '-l', this.#place]);
  }
}
