import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath, geteuid, pid } from 'node:process';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import type { RackEvent } from '../../src/timeline/event.ts';
import { isUp } from '../../src/lab/boot-phases.ts';
import { LAB } from '../../src/lab/config.ts';
import { BOARDS } from '../../src/lab/firmware.ts';
import { LabError } from '../../src/lab/lab-error.ts';
import { startMachine } from '../../src/lab/machine.ts';
import { BRIDGE, createLabNetwork, labName, type LabNetwork } from '../../src/lab/network.ts';
import { prepareLab } from '../../src/lab/open-lab.ts';
import { startRack } from '../../src/lab/rack-process.ts';
import { runCommand, type CommandResult } from '../../src/lab/run-command.ts';
import { stopProcess } from '../../src/lab/stop-process.ts';
import { createWorkspace, type LabFiles, type Workspace } from '../../src/lab/workspace.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');
const RACKBOOT = [execPath, MAIN];
const MIRROR_SERVER = join(import.meta.dirname, '..', 'interop', 'mirror-server.ts');
const MIRROR_PORT = 8099;
const WAY = { firmware: 'bios', loader: 'none' } as const;
const HARDWARE = { accel: 'tcg', cores: 2, memoryMebibytes: 1024, diskBytes: 2 ** 30 };
const TIMEOUT_SECONDS = 300;
/** The addresses of the document of 2015. */
const RACK = '192.168.127.100';
const REGION = '10.99.0.1';

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

async function ip(...words: string[]): Promise<void> {
  const { code, output } = await runCommand(['ip', ...words]);
  assert.equal(code, 0, `ip ${words.join(' ')}: ${output}`);
}

/** A network with an `eth0` that has the document's address, and a wire to the region's. */
async function createRackNetwork(region: LabNetwork, number: number): Promise<LabNetwork> {
  const network = await createLabNetwork({
    name: labName(pid, `region-rack${number}`),
    address: `${RACK}/24`,
    taps: 1,
  });
  const { name } = network;
  await ip('-n', name, 'link', 'set', BRIDGE, 'down');
  await ip('-n', name, 'link', 'set', BRIDGE, 'name', 'eth0');
  await ip('-n', name, 'link', 'set', 'eth0', 'up');
  await ip('link', 'add', `rack${number}`, 'netns', region.name, 'type', 'veth', 'peer', 'name', 'mgmt', 'netns', name);
  await ip('-n', region.name, 'link', 'set', `rack${number}`, 'master', BRIDGE, 'up');
  await ip('-n', name, 'address', 'add', `10.99.0.1${number}/24`, 'dev', 'mgmt');
  await ip('-n', name, 'link', 'set', 'mgmt', 'up');
  return network;
}

/** What a rack says for itself: who it is, where its region is, and what its loaders and kernels are told. */
function rackFile(workspace: Workspace, name: string): string {
  const { directory } = workspace;
  const entry = `{ image: debian/lab, cmdline: "${BOARDS[WAY.firmware].kernelWords} rackboot=http://${RACK}:${LAB.httpPort}" }`;
  return [
    `rack: { name: ${name}, state: ${directory}/state, control: ${directory}/control.sock }`,
    `region: { url: "http://${REGION}:5240" }`,
    `boot: { files: ${directory}/files, default: lab, entries: { lab: ${entry} } }`,
    '',
  ].join('\n');
}

async function until(what: string, check: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 150; tries++) {
    if (await check()) return;
    await sleep(200);
  }
  assert.fail(`waited in vain for ${what}`);
}

it(
  'the commands of the document of 2015 end in a rack that serves its ranges, and a machine that boots what it imported',
  { skip: await reasonToSkip(), timeout: TIMEOUT_SECONDS * 1000 },
  async (t) => {
    await using stack = new AsyncDisposableStack();
    const files: LabFiles = { ...(await prepareLab(WAY, (line) => t.diagnostic(line), t.signal)), isImage: true };
    const region = stack.adopt(
      await createLabNetwork({ name: labName(pid, 'region'), address: `${REGION}/24`, taps: 0 }),
      (made) => made.close(),
    );
    const racks = await Promise.all(
      [1, 2, 3].map(async (number) => {
        const network = stack.adopt(await createRackNetwork(region, number), (made) => made.close());
        const workspace = stack.adopt(await createWorkspace(files), (made) => made.close());
        writeFileSync(workspace.config, rackFile(workspace, number === 1 ? 'maas' : `rack-${number}`));
        return { network, workspace };
      }),
    );
    const [first = assert.fail()] = racks;
    const home = join(first.workspace.directory, 'region');
    mkdirSync(home);
    const config = join(home, 'region.yaml');
    writeFileSync(config, `state: ${home}/state\nlisten: ${REGION}:5240\n`);

    // What an operator types, in a shell
    const shell = async (script: string): Promise<CommandResult> => {
      const prelude = [
        `maas() { ${RACKBOOT.join(' ')} api "$@"; }`,
        `maas_region_admin() { ${RACKBOOT.join(' ')} region "$@" --config ${config}; }`,
        'set -eu',
      ];
      const run = await region.run(['bash', '-c', [...prelude, script].join('\n')], { env: { XDG_CONFIG_HOME: home } });
      assert.equal(run.code, 0, run.output);
      return run;
    };
    await shell(
      'maas_region_admin init; maas_region_admin createadmin --username=root --password=secret --email=root@example.com',
    );
    const server = region.exec([...RACKBOOT, 'region', 'run', '--config', config]);
    stack.defer(() => stopProcess(server));
    await until(
      'the region',
      async () => (await region.run(['curl', '-sf', `http://${REGION}:5240/MAAS/api/2.0/version/`])).code === 0,
    );

    // A rack comes to it with a token
    const daemons = racks.map(({ network, workspace }) =>
      stack.adopt(startRack(network, workspace, RACKBOOT), (made) => made.stop()),
    );
    for (const daemon of daemons) await daemon.ready(t.signal);
    const enrol = async ({ network, workspace }: (typeof racks)[number]): Promise<void> => {
      const { stdout: token } = await shell('maas_region_admin enrol-rack');
      const enrolled = await network.run([...RACKBOOT, 'enrol', '--token', token.trim(), '--config', workspace.config]);
      assert.equal(enrolled.code, 0, enrolled.output);
    };
    await enrol(first);
    const login = await shell(
      `maas login lab http://${REGION}:5240/MAAS/api/1.0 $(maas_region_admin apikey --username=root)`,
    );
    assert.match(
      login.stdout,
      /You are now logged in to the MAAS server at\nhttp:\/\/10\.99\.0\.1:5240\/MAAS\/api\/1\.0\/ with the profile name 'lab'\./,
    );

    // Images: sources, selections, import
    const sources = await shell('maas lab boot-sources read');
    // Into a pipe: the words around it are for a terminal (test/interop/api.test.ts)
    assert.match(sources.stdout, /^\[\n {4}\{\n {8}"url": "http:/);
    await shell('maas lab boot-source-selections read 1');
    await shell(
      'maas lab boot-source-selections create 1 os="ubuntu" release="precise" arches="amd64" subarches="*" labels= "*"',
    );
    const mirror = join(first.workspace.directory, 'mirror');
    const mirrorWords = [MIRROR_SERVER, REGION, `${MIRROR_PORT}`, mirror, join(home, 'mirror.log')];
    const mirrorServer = region.exec([execPath, ...mirrorWords]);
    stack.defer(() => stopProcess(mirrorServer));
    const source = `http://${REGION}:${MIRROR_PORT}/`;
    await shell(`maas lab boot-sources create url=${source} keyring_data="$(base64 -w0 ${mirror}.asc)"`);
    await shell('maas lab boot-source-selections create 2 os=debian release=lab arches=amd64');
    await shell('maas lab boot-resources import');

    // The network, with the document's addresses
    await until('the network of the rack', async () =>
      (await shell('maas lab networks read')).stdout.includes('"maas-eth0"'),
    );
    const update = await shell(
      [
        'uuid=$(maas lab node-groups list | grep uuid | cut -d\\" -f4)',
        'maas lab node-group-interface update $uuid eth0 ip_range_low=192.168.127.121 ip_range_high=192.168.127.140 static_ip_range_low=192.168.127.221 static_ip_range_high=192.168.127.240 management=2 subnet_mask=255.255.255.0 router_ip=192.168.127.254 broadcast_ip=192.168.127.255',
      ].join('\n'),
    );
    assert.match(update.stdout, /"management": 2,/);
    const status = async ({ network, workspace }: (typeof racks)[number]): Promise<string> =>
      (await network.run([...RACKBOOT, 'status', '--config', workspace.config])).output;
    await until('the rack to serve the ranges', async () =>
      (await status(first)).includes('192.168.127.0/24 on eth0: dhcp+dns, 192.168.127.121-192.168.127.140'),
    );
    await until('the image', async () => {
      const images = await first.network.run([...RACKBOOT, 'images', '--json', '--config', first.workspace.config]);
      return images.output.includes('"entries":["lab"]');
    });

    // The other racks have their own
    for (const rack of racks.slice(1)) await enrol(rack);
    await until('the networks of the others', async () =>
      (await shell('maas lab networks read')).stdout.includes('"rack-3-eth0"'),
    );
    assert.ok(!(await status(racks[1] ?? assert.fail())).includes('dhcp+dns'));

    // A machine gets a name and an address for good, boots, and the region knows
    await shell(`maas login two http://${REGION}:5240/MAAS/api/2.0 $(maas_region_admin apikey --username=root)`);
    const { name, mac, address } = LAB.machine;
    await shell(`maas two reserved-ips create ip=${address} mac_address=${mac} comment=${name} subnet=1`);
    await until('the rack to know the machine', async () => {
      const words = ['explain', '--mac', mac, '--config', first.workspace.config];
      return (await first.network.run([...RACKBOOT, ...words])).output.includes(address);
    });
    const seen: RackEvent[] = [];
    const events = daemons[0]?.events() ?? assert.fail();
    const own = {
      tap: first.network.taps[0] ?? '',
      mac,
      directory: first.workspace.directory,
      firmware: WAY.firmware,
    };
    stack.adopt(await startMachine(first.network, { ...HARDWARE, ...own }), (made) => made.stop());
    for await (const event of events) {
      seen.push(event);
      if (isUp(event)) break;
    }
    assert.ok(
      seen.some((event) => event.kind === 'http.sent' && /\/images\/[0-9a-f]{64}\/boot-kernel$/.test(event.path)),
    );
    await until('the lease to be known in the region', async () =>
      (await shell('maas two leases read')).stdout.includes(mac),
    );
    await until('the report of the machine', async () =>
      (await shell(`maas two events query mac_address=${mac} limit=1000`)).stdout.includes('machine.report'),
    );
  },
);
