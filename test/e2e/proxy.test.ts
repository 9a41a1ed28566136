import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execPath, geteuid } from 'node:process';
import { before, describe, it } from 'node:test';
import { isUp } from '../../src/lab/boot-phases.ts';
import { BOARDS } from '../../src/lab/firmware.ts';
import { INITRD_PATH, KERNEL_PATH, LAB } from '../../src/lab/config.ts';
import {
  ensurePackages,
  LAB_PACKAGES,
  missingPackages,
  missingText,
  TEST_CLIENT_PACKAGES,
} from '../../src/lab/debian-packages.ts';
import { prepareLab } from '../../src/lab/open-lab.ts';
import { startMachine } from '../../src/lab/machine.ts';
import { BRIDGE, createLabNetwork, type LabNetwork } from '../../src/lab/network.ts';
import { startRack } from '../../src/lab/rack-process.ts';
import { runCommand } from '../../src/lab/run-command.ts';
import { createWorkspace, type Workspace } from '../../src/lab/workspace.ts';
import { stopProcess } from '../../src/lab/stop-process.ts';
import type { RackEvent } from '../../src/timeline/event.ts';

const RACKBOOT = [execPath, join(import.meta.dirname, '../../src/main.ts')];
const PACKAGES = [
  ...LAB_PACKAGES.bios,
  ...LAB_PACKAGES.uefi,
  ...TEST_CLIENT_PACKAGES.filter((need) => need.package === 'dnsmasq-base'),
];
/** Some 40 s on an idle computer with two cores. */
const TIMEOUT_SECONDS = 240;
const ADDRESS_SERVER = '192.168.127.2';

const LOADERS = { bios: 'none', uefi: 'snponly' } as const;

/** What the rack tells of a boot, in order, up to the report; repetitions left out. */
const STORY: Readonly<Record<'bios' | 'uefi', readonly string[]>> = {
  bios: [
    'dhcp.discover',
    'dhcp.proxy-offer http://192.168.127.1:5248/boot.ipxe',
    'dhcp.elsewhere 192.168.127.2',
    'http.sent /boot.ipxe',
    'http.sent /ipxe/52-54-00-12-34-56',
    `http.sent /${KERNEL_PATH}`,
    `http.sent /${INITRD_PATH}`,
    'machine.report',
  ],
  uefi: [
    'dhcp.discover',
    'dhcp.proxy-offer snponly.efi',
    'dhcp.elsewhere 192.168.127.2',
    'dhcp.proxy-ack snponly.efi',
    'tftp.sent snponly.efi',
    'dhcp.discover',
    'dhcp.proxy-offer http://192.168.127.1:5248/boot.ipxe',
    'http.sent /boot.ipxe',
    'http.sent /ipxe/52-54-00-12-34-56',
    `http.sent /${KERNEL_PATH}`,
    `http.sent /${INITRD_PATH}`,
    'machine.report',
  ],
};

async function reasonToSkip(): Promise<string | false> {
  if (geteuid?.() !== 0) return 'network namespaces and taps need root';
  const missing = await missingPackages(PACKAGES);
  const hasApt = (await missingPackages([{ package: 'apt', provides: ['apt-get'] }])).length === 0;
  return missing.length > 0 && !hasApt ? missingText(missing) : false;
}

/** The lab's rack, where someone else gives the addresses and nobody serves names. */
function proxyConfig({ directory }: Workspace, loaders: Readonly<Record<string, string>>): string {
  return `rack: { name: lab-rack, state: ${directory}/state, control: ${directory}/control.sock }
subnets:
  - { cidr: ${LAB.cidr}, interface: ${BRIDGE}, management: proxy }
hosts:
  - { name: ${LAB.machine.name}, mac: "${LAB.machine.mac}", boot: lab }
boot:
  files: ${directory}/files
  loaders: ${JSON.stringify(loaders)}
  entries:
    lab:
      kernel: ${KERNEL_PATH}
      initrd: [${INITRD_PATH}]
      cmdline: ${BOARDS.bios.kernelWords} lab.names=no rackboot=http://${LAB.rack}:${LAB.httpPort}
`;
}

/** Someone else's DHCP server: dnsmasq in a namespace of its own, on the lab's wire. It knows nothing of boot files. */
async function startAddressServer(network: LabNetwork, { directory }: Workspace): Promise<AsyncDisposable> {
  const space = `${network.name}-dhcp`;
  const steps = [
    ['netns', 'add', space],
    ['-n', network.name, 'link', 'add', 'wire', 'type', 'veth', 'peer', 'name', 'near', 'netns', space],
    ['-n', network.name, 'link', 'set', 'wire', 'master', BRIDGE, 'up'],
    ['-n', space, 'address', 'add', `${ADDRESS_SERVER}/${LAB.prefix}`, 'brd', '+', 'dev', 'near'],
    ['-n', space, 'link', 'set', 'near', 'up'],
  ];
  for (const step of steps) {
    const { code, output } = await runCommand(['ip', ...step]);
    assert.equal(code, 0, output);
  }
  const quiet = ['--no-daemon', '--port=0', '--conf-file=/dev/null', '--user=root', '--pid-file='];
  const range = [
    '--interface=near',
    '--dhcp-range=192.168.127.50,192.168.127.99,1h',
    `--dhcp-host=${LAB.machine.mac},${LAB.machine.name}`,
  ];
  const inside = ['ip', 'netns', 'exec', space, 'dnsmasq', ...quiet, ...range];
  // From the lab's namespace a program may go on into another
  const dnsmasq = network.exec([...inside, `--dhcp-leasefile=${join(directory, 'dnsmasq.leases')}`]);
  dnsmasq.stdout.resume();
  dnsmasq.stderr.resume();
  return {
    async [Symbol.asyncDispose]() {
      await stopProcess(dnsmasq);
      await runCommand(['ip', 'netns', 'delete', space]);
    },
  };
}

function tell(event: RackEvent): string {
  const { kind } = event;
  if (kind === 'dhcp.proxy-offer' || kind === 'dhcp.proxy-ack') return `${kind} ${event.bootFile}`;
  if (kind === 'dhcp.elsewhere') return `${kind} ${event.server ?? ''}`;
  if (kind === 'tftp.sent') return `${kind} ${event.file}`;
  return kind === 'http.sent' ? `${kind} ${event.path}` : kind;
}

/** Whether the steps come in this order, whatever else is between them. */
function firstMissing(told: readonly string[], story: readonly string[]): string | undefined {
  let at = 0;
  for (const line of told) if (line === story[at]) at++;
  return story[at];
}

describe(
  'a real machine netboots beside another DHCP server',
  { concurrency: true, skip: await reasonToSkip() },
  () => {
    before(async () => {
      await ensurePackages(PACKAGES, console.error);
    });

    for (const firmware of ['bios', 'uefi'] as const) {
      it(`with ${firmware} firmware: its address from there, what to boot from the rack, and no lease here`, async (t) => {
        await using stack = new AsyncDisposableStack();
        const files = await prepareLab({ firmware, loader: LOADERS[firmware] }, console.error, t.signal);
        const workspace = stack.adopt(await createWorkspace(files), (made) => made.close());
        await writeFile(workspace.config, proxyConfig(workspace, files.loader.config));
        const settings = { name: workspace.name, address: `${LAB.rack}/${LAB.prefix}`, taps: 1 };
        const network = stack.adopt(await createLabNetwork(settings), (made) => made.close());
        stack.use(await startAddressServer(network, workspace));
        const rack = stack.adopt(startRack(network, workspace, RACKBOOT), (made) => made.stop());
        await rack.ready(t.signal);
        const events = rack.events();
        const hardware = { firmware, accel: 'tcg', cores: 2, memoryMebibytes: 1024, diskBytes: 2 ** 30 };
        const own = { tap: network.taps[0] ?? '', mac: LAB.machine.mac, directory: workspace.directory };
        const machine = stack.adopt(await startMachine(network, { ...hardware, ...own }), (made) => made.stop());
        const limit = AbortSignal.timeout(TIMEOUT_SECONDS * 1000);
        limit.addEventListener('abort', () => void machine.stop().then(() => rack.stop()), { once: true });
        const told: string[] = [];
        for await (const event of events) {
          // Without the sighting of its address, what it fetches is nobody's
          if (event.mac === LAB.machine.mac) told.push(tell(event));
          if (isUp(event)) break;
        }
        const seen = [...told, ...machine.serial.tail(20)].join('\n');
        assert.equal(firstMissing(told, STORY[firmware]), undefined, seen);
        assert.ok(!told.some((line) => /^dhcp\.(offer|ack|nak)/.test(line)), seen);
        const leases = await network.run([...RACKBOOT, 'leases', '--json', '--config', workspace.config]);
        assert.equal(leases.stdout.trim(), '[]', leases.output);
      });
    }
  },
);
