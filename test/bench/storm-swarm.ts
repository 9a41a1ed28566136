/*
 * A rack that powers up: machines that each take an address by DHCP, a loader by TFTP, an address once more as iPXE, and by
 * HTTP the script, the kernel and the initrd it names. Usage: storm-swarm.ts '{"machines":1000,"spread":1,"interface":"ask","limit":300}'
 * Prints {"seconds","done","failed","perMachine":[…]}: seconds from the first power-on to the last byte, and of each machine.
 */
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';

import { formatIp4, type Ip4 } from '../../src/addr/ip4.ts';
import { systemClock } from '../../src/system/clock.ts';

export interface StormOrder {
  readonly machines: number;
  /** Seconds over which they power on. */
  readonly spread: number;
  readonly interface: string;
  /** Seconds after which those not done have failed. */
  readonly limit: number;
}

export interface StormResult {
  readonly seconds: number;
  readonly done: number;
  readonly failed: number;
  /** Bytes by HTTP. */
  readonly bytes: number;
  /** Seconds from its power-on to its last byte, of those that came so far. */
  readonly perMachine: readonly number[];
  /** Seconds from its power-on until it knew its script. */
  readonly toScript: readonly number[];
}

/** What the firmware thread tells of a machine that is to fetch its script. */
export interface BootedMachine {
  readonly index: number;
  readonly address: Ip4;
  readonly url: string;
  /** Monotonic milliseconds. */
  readonly powerOn: number;
}

const RETRY_LIMIT = 20;
/** Shared by all connections: what comes is counted, not kept. */
const SINK = Buffer.alloc(1 << 20);

let bytes = 0;

/** Fetches a URL from `address`; keeps the body only where it is small. */
function get(address: Ip4, url: URL): Promise<string> {
  return new Promise((resolve, reject) => {
    let head = '';
    let left = -1;
    let body = '';
    const take = (size: number, chunk: Buffer): boolean => {
      bytes += size;
      let rest = chunk.subarray(0, size);
      if (left < 0) {
        head += rest.toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return true;
        if (!head.startsWith('HTTP/1.1 200')) socket.destroy(new Error(`${url.href}: ${head.slice(0, 40)}`));
        left = Number(/^content-length: (\d+)/im.exec(head)?.[1]);
        rest = Buffer.from(head.slice(end + 4), 'latin1');
      }
      left -= rest.length;
      if (body.length < 4096) body += rest.toString('latin1');
      if (left === 0) {
        socket.destroy();
        resolve(body);
      }
      return true;
    };
    const socket = connect({
      host: url.hostname,
      port: Number(url.port),
      localAddress: formatIp4(address),
      onread: { buffer: SINK, callback: take },
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`${url.href}: closed with ${left} bytes to come`)));
    socket.write(
      `GET ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nUser-Agent: iPXE/1.21.1\r\nConnection: keep-alive\r\n\r\n`,
    );
  });
}

/** As firmware and scripts do: again, until it works. */
async function fetchAgain(address: Ip4, url: URL): Promise<string> {
  for (let tries = 1; ; tries++) {
    try {
      return await get(address, url);
    } catch (error) {
      if (tries === RETRY_LIMIT) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

/** iPXE's scripts, as far as racks write them: a chain to the machine's own one, a kernel, initrds. */
async function boot({ index, address, url }: BootedMachine): Promise<void> {
  let script = await fetchAgain(address, new URL(url));
  const chained = /^chain .*?(http:\S+)/m.exec(script)?.[1];
  const mac = `02-bb-00-00-${hex(index >> 8)}-${hex(index & 255)}`;
  if (chained !== undefined) script = await fetchAgain(address, new URL(chained.replace(/\$\{.*?\}/, mac)));
  const files = [...script.matchAll(/^(?:kernel|initrd) .*?(http:\S+)/gm)].map((match) => match[1] ?? '');
  if (files.length < 2) throw new Error(`machine ${index} (${formatIp4(address)}): no kernel and initrd in: ${script}`);
  for (const file of files) await fetchAgain(address, new URL(file));
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

async function storm(order: StormOrder): Promise<StormResult> {
  const started = systemClock.monotonic();
  const perMachine: number[] = [];
  const toScript: number[] = [];
  const worker = new Worker(new URL('storm-firmware.ts', import.meta.url), {
    workerData: { ...order, start: started },
  });
  const { promise: over, resolve, reject } = Promise.withResolvers<void>();
  const follow = async (machine: BootedMachine): Promise<void> => {
    toScript.push(secondsSince(machine.powerOn));
    await boot(machine);
    perMachine.push(secondsSince(machine.powerOn));
    if (perMachine.length === order.machines) resolve();
  };
  worker.once('error', reject);
  worker.on('message', (machine: BootedMachine) => void follow(machine).catch(reject));
  const limit = setTimeout(resolve, order.limit * 1000);
  await over;
  clearTimeout(limit);
  const done = perMachine.length;
  return { seconds: secondsSince(started), done, failed: order.machines - done, bytes, perMachine, toScript };
}

function secondsSince(start: number): number {
  return (systemClock.monotonic() - start) / 1000;
}

console.log(JSON.stringify(await storm(JSON.parse(process.argv[2] ?? '{}') as StormOrder)));
process.exit();
