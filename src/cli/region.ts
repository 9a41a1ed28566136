import { existsSync, mkdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { once } from 'node:events';

import { pino } from 'pino';

import { formatIp4 } from '../addr/ip4.ts';
import { openEmbeddedDatabase } from '../region/database/embedded-database.ts';
import type { Database } from '../region/database/database.ts';
import { migrate } from '../region/database/migrate.ts';
import { openPostgresDatabase } from '../region/database/postgres-database.ts';
import { GuessLimit } from '../region/guess-limit.ts';
import { HANDLERS } from '../region/operators/handlers.ts';
import { operatorRoutes } from '../region/operators/operator-routes.ts';
import { Refusal } from '../region/refusal.ts';
import { readRegionConfig, type RegionConfig } from '../region/region-config.ts';
import { deskOrderSchema, obeyDesk, type DeskOrder, type RackLine } from '../region/region-desk.ts';
import { Region } from '../region/server.ts';
import { systemClock } from '../system/clock.ts';
import { readKeyPair } from '../system/key-pair.ts';
import { loadLibc } from '../system/libc.ts';
import { lockDirectory } from '../system/lock-directory.ts';
import { messageOf } from '../system/message-of.ts';
import { connectServiceManager } from '../system/systemd-notify.ts';
import { LogWriter } from '../rack/log-writer.ts';
import { askDaemon, RefusedError, UnreachableError } from './control-client.ts';
import type { DaemonProcess } from './run.ts';

export interface RegionRunOptions {
  readonly config: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stop: AbortSignal;
  readonly process: DaemonProcess;
}

/** `rackboot region run`: the region's server, in the foreground, until it is told to stop. */
export async function runRegion(options: RegionRunOptions, complain: (line: string) => void): Promise<number> {
  const config = loadConfig(options.config, complain);
  if (!config) return 1;
  const writer = new LogWriter({ write: (bytes) => writeSync(1, bytes), later: setImmediate });
  const log = pino({ base: null, level: config.log.level, timestamp: pino.stdTimeFunctions.isoTime }, writer);
  options.process.onExit(() => writer.flush());
  options.process.onCrash((error) => log.fatal({ err: error }, 'an error of rackboot itself ends the region'));
  const libc = loadLibc();
  const manager = connectServiceManager(libc, options.environment['NOTIFY_SOCKET']);
  claim(config);
  const database = await openDatabase(config, (error) => log.error({ err: error }, 'the database'));
  const done = await migrate(database);
  if (done.length > 0) log.info({ migrations: done }, 'the tables were brought up to date');
  const guesses = new GuessLimit(systemClock);
  const operators = operatorRoutes({ database, log, guesses, handlers: HANDLERS });
  const region = await Region.open({ database, clock: systemClock, log, operators });
  const tls = config.tls && readKeyPair(config.tls.certificate, config.tls.key).pair;
  for (const { address, port } of config.listen) {
    await region.listen(formatIp4(address), port, tls);
    log.info(`serves racks and operators at ${tls ? 'https' : 'http'}://${formatIp4(address)}:${port}`);
  }
  const desk = await serveDesk(config, database);
  manager.notify('READY=1');
  if (!options.stop.aborted) await once(options.stop, 'abort');
  manager.notify('STOPPING=1');
  desk.close();
  desk.closeAllConnections();
  await region.close();
  await database.close();
  log.info('stopped');
  return 0;
}

/** Any other command of `rackboot region`: by the server that runs, or on the database itself. */
export async function askRegion<T>(
  config: string,
  wish: DeskOrder,
  complain: (line: string) => void,
): Promise<T | undefined> {
  const settings = loadConfig(config, complain);
  if (!settings) return undefined;
  try {
    return await askDaemon<T>(controlSocket(settings), '/desk', 'POST', JSON.stringify(wish));
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
  }
  claim(settings);
  const database = await openDatabase(settings, (error) => complain(messageOf(error)));
  try {
    await migrate(database);
    return (await obeyDesk(database, wish)) as T;
  } catch (error) {
    throw error instanceof Refusal ? new RefusedError(error.message) : error;
  } finally {
    await database.close();
  }
}

/** A rack in one line, with what is wrong below it. */
export function* describeRack(rack: RackLine, now: number): Generator<string> {
  const { name, id, plan, taken, seen, from, version, waiting, refused, conflicts = [] } = rack;
  const last =
    seen === undefined
      ? 'never seen'
      : `seen ${Math.max(0, Math.round((now - Date.parse(seen)) / 1000))} s ago at ${from ?? '?'}`;
  const state = taken === plan ? `plan ${plan}` : `plan ${taken ?? 'none'} of ${plan}`;
  yield `${name.padEnd(20)} ${id} ${state}, ${last}, rackboot ${version ?? '?'}, ${waiting ?? 0} events wait`;
  for (const fault of refused ?? []) yield `  REFUSED ${fault}`;
  for (const conflict of conflicts) yield `  ${conflict}`;
}

function loadConfig(file: string, complain: (line: string) => void): RegionConfig | undefined {
  const config = readRegionConfig(existsSync(file) ? readFileSync(file, 'utf8') : '', file);
  if (!('faults' in config)) return config;
  for (const fault of config.faults) complain(fault);
  return undefined;
}

/** Two processes on one embedded database would spoil it. */
function claim({ database, state }: RegionConfig): void {
  mkdirSync(state, { recursive: true, mode: 0o700 });
  if (database === 'embedded' && !lockDirectory(loadLibc(), state)) {
    throw new RefusedError(`another process has the database in ${state}`);
  }
}

function openDatabase({ database, state }: RegionConfig, complain: (error: unknown) => void): Promise<Database> {
  return database === 'embedded'
    ? openEmbeddedDatabase(join(state, 'database'))
    : openPostgresDatabase(database, complain);
}

function controlSocket({ state }: RegionConfig): string {
  return join(state, 'control.sock');
}

/** For whoever has this machine: nobody else can reach the socket. */
async function serveDesk(config: RegionConfig, database: Database): Promise<ReturnType<typeof createServer>> {
  const server = createServer((request, response) => {
    const answer = async (): Promise<unknown> => {
      const chunks = await request.toArray();
      return obeyDesk(database, deskOrderSchema.parse(JSON.parse(Buffer.concat(chunks as Buffer[]).toString('utf8'))));
    };
    answer().then(
      (body) => response.end(JSON.stringify(body)),
      (error: unknown) => response.writeHead(error instanceof Refusal ? error.status : 500).end(messageOf(error)),
    );
  });
  const path = controlSocket(config);
  rmSync(path, { force: true });
  server.listen(path);
  await once(server, 'listening');
  return server;
}
