import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { execPath, geteuid } from 'node:process';
import { createInterface } from 'node:readline';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { isUp } from '../../src/lab/boot-phases.ts';
import { KERNEL_PATH, LAB } from '../../src/lab/config.ts';
import { LabError } from '../../src/lab/lab-error.ts';
import type { LabNetwork, LabProcess } from '../../src/lab/network.ts';
import { openLab, prepareLab } from '../../src/lab/open-lab.ts';
import { stopProcess } from '../../src/lab/stop-process.ts';

const RACKBOOT = [execPath, join(import.meta.dirname, '../../src/main.ts')];
const HALF_OPEN = join(import.meta.dirname, 'half-open-transfers.ts');
const SLOW = join(import.meta.dirname, '../interop/slow-clients.ts');
const WAY = { firmware: 'uefi', loader: 'snponly' } as const;
const HARDWARE = { accel: 'tcg', cores: 2, memoryMebibytes: 1024, diskBytes: 2 ** 30 };
/** As for a machine that boots alone. */
const TIMEOUT_SECONDS = 240;
const CROWD = 2000;
/** Fewer than one address may have connections. */
const EACH = 200;
const ADDRESSES = Array.from({ length: CROWD / EACH }, (_, index) => `10.99.0.${index + 1}`);

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

/** Starts a program of the crowd, and waits until all of it stands there. */
async function begin(network: LabNetwork, argv: readonly string[]): Promise<LabProcess> {
  const crowd = network.exec([execPath, ...argv]);
  crowd.stderr.pipe(process.stderr);
  const lines = createInterface(crowd.stdout);
  const [line] = (await Promise.race([once(lines, 'line'), once(lines, 'close')])) as [string?];
  assert.match(line ?? 'it ended', /^open/);
  return crowd;
}

interface Levels {
  readonly tftp: number;
  readonly http: number;
}

/** What the rack counts now. */
async function levels(network: LabNetwork): Promise<Levels> {
  const { stdout } = await network.run(['curl', '-s', `http://127.0.0.1:5249/status`]);
  const { services } = JSON.parse(stdout) as {
    services: Record<string, { counters: Record<string, number> } | undefined>;
  };
  return { tftp: services['tftp']?.counters['active'] ?? 0, http: services['http']?.counters['sending'] ?? 0 };
}

async function untilAll(network: LabNetwork): Promise<void> {
  for (let tries = 0; ; tries++) {
    const now = await levels(network);
    if (now.tftp >= CROWD && now.http >= CROWD) return;
    assert.ok(tries < 100, `not all of the crowd is there: ${JSON.stringify(now)}`);
    await delay(200);
  }
}

async function untilUp(t: TestContext): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const lab = stack.use(await openLab(RACKBOOT, WAY, console.error, t.signal));
  const { network } = lab;
  assert.equal((await network.run(['ip', 'route', 'add', 'local', '10.99.0.0/24', 'dev', 'lo'])).code, 0);
  const crowds = [
    [HALF_OPEN, LAB.rack, KERNEL_PATH, String(CROWD), ...ADDRESSES],
    [SLOW, LAB.rack, `/${KERNEL_PATH}`, String(EACH), ...ADDRESSES],
  ];
  for (const argv of crowds) stack.adopt(await begin(network, argv), (crowd) => stopProcess(crowd));
  await untilAll(network);

  const events = lab.rack.events();
  const powerOn = performance.now();
  const machine = stack.adopt(await lab.switchOn(HARDWARE), (made) => made.stop());
  const limit = AbortSignal.timeout(TIMEOUT_SECONDS * 1000);
  limit.addEventListener('abort', () => void machine.stop().then(() => lab.rack.stop()), { once: true });
  const told: string[] = [];
  let among: Levels | undefined;
  for await (const event of events) {
    if (event.mac !== LAB.machine.mac) continue;
    told.push(event.kind);
    // In the middle of its boot; those who hardly read are hung up on in the end
    if (event.kind === 'http.sent') among ??= await levels(network);
    if (isUp(event)) break;
  }
  assert.equal(told.at(-1), 'machine.report', [...told, ...machine.serial.tail(20)].join('\n'));
  assert.ok(!told.some((kind) => /refused|failed/.test(kind)), told.join('\n'));
  // But for transfers given up a moment ago
  assert.ok(among && among.tftp >= CROWD / 2 && among.http >= CROWD, JSON.stringify(among));
  t.diagnostic(
    `up after ${((performance.now() - powerOn) / 1000).toFixed(1)} s among ${CROWD} half-open TFTP transfers and ${CROWD} slow HTTP clients`,
  );
}

describe('a real machine netboots while others hold on to the rack', { skip: await reasonToSkip() }, () => {
  it(`among ${CROWD} half-open TFTP transfers and ${CROWD} clients that hardly read`, untilUp);
});
