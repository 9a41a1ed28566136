import { statSync, writeSync } from 'node:fs';
import { extname } from 'node:path';

import { pino } from 'pino';

import { ConfigError, Rack } from '../rack/rack.ts';
import { LogWriter } from '../rack/log-writer.ts';
import { createOperatorApi, serveOnPort, serveOnSocket, type ApiServer } from '../rack/operator-api.ts';
import { watchConfig } from '../rack/config-watch.ts';
import { isAnswerThread, serviceOf } from '../service/thread-name.ts';
import { systemClock } from '../system/clock.ts';
import { loadLibc } from '../system/libc.ts';
import { connectServiceManager } from '../system/systemd-notify.ts';
import { messageOf } from '../system/message-of.ts';
import type { ThreadName } from '../timeline/event.ts';

export interface RunOptions {
  readonly config: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborted when the rack is to stop; the reason names the signal. */
  readonly stop: AbortSignal;
  readonly process: DaemonProcess;
}

/** What a daemon needs of its process. */
export interface DaemonProcess {
  /** Calls back at each SIGHUP; one that came before is called back at once. */
  onHangup(reload: () => void): void;
  /** Calls back with what nobody caught: the process ends after it, with exit code 1. */
  onCrash(told: (error: unknown) => void): void;
  /** Calls back when the process ends, however that came. */
  onExit(callback: () => void): void;
}

/** `rackboot run`: the daemon, in the foreground, until it is told to stop. */
export async function run(
  { config, environment, stop, process }: RunOptions,
  complain: (line: string) => void,
): Promise<number> {
  const libc = loadLibc();
  const writer = new LogWriter({ write: (bytes) => writeSync(1, bytes), later: setImmediate });
  const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, writer);
  process.onExit(() => writer.flush());
  process.onCrash((error) => log.fatal({ err: error }, 'an error of rackboot itself ends it'));
  const manager = connectServiceManager(libc, environment['NOTIFY_SOCKET']);
  let rack: Rack;
  try {
    rack = await Rack.start({ config, libc, clock: systemClock, log, manager, entryOf });
  } catch (error) {
    reportFailedStart(error, complain);
    return 1;
  }
  process.onExit(() => rack.abandon());
  const testHooks = environment['RACKBOOT_TEST_HOOKS'] === '1';
  const servers = await serveOperators(rack, config, testHooks, (problem) => log.error(problem));
  const watch = watchConfig(
    config,
    () => void rack.reload(),
    (error) => log.error({ err: error }, 'changes of the file may go unseen: use SIGHUP'),
  );
  void watch.ready.then(() => (changedSince(config, rack.attempt.at) ? rack.reload() : undefined));
  process.onHangup(() => void rack.reload());
  await aborted(stop);
  await watch.close();
  for (const server of servers) server.close();
  await rack.stop(String(stop.reason));
  return 0;
}

/** Sources run as they are, or compiled to dist/: the threads' files end as this one does. */
function entryOf(name: ThreadName): URL {
  const file = isAnswerThread(name) ? 'answer-thread' : 'thread';
  return new URL(`../${serviceOf(name)}/${file}${extname(import.meta.filename)}`, import.meta.url);
}

function reportFailedStart(error: unknown, complain: (line: string) => void): void {
  if (error instanceof ConfigError) {
    for (const fault of error.faults) complain(fault);
    complain(`${error.message}; nothing is served. \`rackboot check\` shows the same`);
  } else complain(`rackboot did not start: ${messageOf(error)}`);
}

/** The operator's plane comes second: a rack that can't have it still boots its machines, and says so. */
async function serveOperators(
  rack: Rack,
  config: string,
  testHooks: boolean,
  complain: (problem: string) => void,
): Promise<ApiServer[]> {
  const app = createOperatorApi({ rack, config, testHooks });
  const { control } = rack.plan.rack;
  const { address, port } = rack.plan.admin;
  const started = await Promise.allSettled([serveOnSocket(app, control), serveOnPort(app, address, port)]);
  const servers: ApiServer[] = [];
  for (const result of started) {
    if (result.status === 'fulfilled') servers.push(result.value);
    else complain(`operators are not served: ${String(result.reason)}`);
  }
  return servers;
}

/** Whether the file was written after it was read, before anyone watched it. */
function changedSince(file: string, read: number): boolean {
  return (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) > read;
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
