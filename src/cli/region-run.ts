import { writeSync } from 'node:fs';
import { once } from 'node:events';

import { pino, type Logger } from 'pino';

import { formatIp4 } from '../addr/ip4.ts';
import { CertificateWatch } from '../rack/certificate-watch.ts';
import { LogWriter } from '../rack/log-writer.ts';
import type { Database } from '../region/database/database.ts';
import { migrate } from '../region/database/migrate.ts';
import { serveDesk } from '../region/desk-server.ts';
import { faultWords } from '../region/fault-words.ts';
import { GuessLimit } from '../region/guess-limit.ts';
import { announceImages } from '../region/image-stream.ts';
import { HANDLERS } from '../region/operators/handlers.ts';
import { operatorRoutes } from '../region/operators/operator-routes.ts';
import { prune, type PruneBounds } from '../region/prune.ts';
import type { RegionConfig } from '../region/region-config.ts';
import { Region } from '../region/server.ts';
import { systemClock } from '../system/clock.ts';
import { KeyPairError, readKeyPair, type KeyPair } from '../system/key-pair.ts';
import { loadLibc } from '../system/libc.ts';
import { messageOf } from '../system/message-of.ts';
import { connectServiceManager, type ServiceManager } from '../system/systemd-notify.ts';
import {
  enterState,
  loadRegionConfig,
  lockState,
  openRegionDatabase,
  patiently,
  type Identity,
  type RegionPlace,
} from './region-state.ts';
import type { DaemonProcess } from './run.ts';

export interface RegionRunOptions {
  readonly place: RegionPlace;
  readonly identity: Identity;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborted when the region is to stop; the reason names the signal. */
  readonly stop: AbortSignal;
  readonly process: DaemonProcess;
}

const WATCHDOG_EVERY = 5_000;
const CERTIFICATE_EVERY = 10_000;
/** What is old is forgotten, and what a server of PostgreSQL does by itself is done for the one inside. */
const TIDY_EVERY = 120_000;

/** `rackboot region run`: the region's server, in the foreground, until it is told to stop. */
export async function runRegion(options: RegionRunOptions, complain: (line: string) => void): Promise<number> {
  const config = loadRegionConfig(options.place, complain);
  if (!config) return 1;
  const writer = new LogWriter({ write: (bytes) => writeSync(1, bytes), later: setImmediate });
  const log = pino({ base: null, level: config.log.level, timestamp: pino.stdTimeFunctions.isoTime }, writer);
  options.process.onExit(() => writer.flush());
  options.process.onCrash((error) => log.fatal(faultWords(error), 'an error of rackboot itself ends the region'));
  const manager = connectServiceManager(loadLibc(), options.environment['NOTIFY_SOCKET']);
  try {
    await serve(config, options, { log, manager });
    return 0;
  } catch (error) {
    complain(`the region did not start: ${messageOf(error)}`);
    return 1;
  }
}

/** Until it is told to stop; whatever was opened is closed, also where it did not come so far. */
async function serve(
  config: RegionConfig,
  { identity, stop, process }: RegionRunOptions,
  { log, manager }: { readonly log: Logger; readonly manager: ServiceManager },
): Promise<void> {
  await using opened = new AsyncDisposableStack();
  const tls = config.tls && readKeyPair(config.tls.certificate, config.tls.key).pair;
  enterState(config, identity);
  await patiently(config, () => Promise.resolve(lockState(config) || undefined));
  const database = await openRegionDatabase(config, (error) => log.error(faultWords(error), 'the database'));
  opened.defer(() => database.close());
  const region = await openRegion(config, database, log);
  opened.defer(() => region.close());
  await listen(config, region, { tls, log });
  const desk = await serveDesk(config.control, database);
  opened.defer(() => desk.close().closeAllConnections());
  const work = startHousework(config, { region, database, log, manager, stop });
  opened.defer(work.end);
  process.onHangup(work.renew);
  manager.notify('READY=1');
  if (!stop.aborted) await once(stop, 'abort');
  manager.notify('STOPPING=1');
  log.info({ reason: String(stop.reason) }, 'the region stops');
}

async function openRegion(config: RegionConfig, database: Database, log: Logger): Promise<Region> {
  const done = await migrate(database);
  if (done.length > 0) log.info({ migrations: done }, 'the tables were brought up to date');
  const { images, proxies } = config;
  await announceImages(database, images?.url);
  const operators = operatorRoutes({ database, log, guesses: new GuessLimit(systemClock), handlers: HANDLERS });
  return Region.open({
    database,
    clock: systemClock,
    log,
    operators,
    proxies,
    ...(images && { images: images.directory }),
  });
}

async function listen(
  { listen: places }: RegionConfig,
  region: Region,
  { tls, log }: { readonly tls: KeyPair | undefined; readonly log: Logger },
): Promise<void> {
  for (const { address, port } of places) {
    const host = formatIp4(address);
    await region.listen(host, port, tls);
    log.info(`racks and operators are served at ${tls ? 'https' : 'http'}://${host}:${port}`);
    if (!tls && address >>> 24 !== 127) log.warn(`without tls, keys that are sent to ${host}:${port} can be read`);
  }
}

interface Housework {
  /** Reads the certificate anew. */
  readonly renew: () => void;
  readonly end: () => Promise<void>;
}

/** What is done now and then. */
function startHousework(
  { tls, events, audit }: RegionConfig,
  {
    region,
    database,
    log,
    manager,
    stop,
  }: {
    readonly region: Region;
    readonly database: Database;
    readonly log: Logger;
    readonly manager: ServiceManager;
    readonly stop: AbortSignal;
  },
): Housework {
  const watch = new CertificateWatch();
  watch.settle(tls);
  const renew = (): void => {
    if (tls) renewCertificate(tls, region, log);
    watch.settle(tls);
  };
  let tidying: Promise<unknown> | undefined;
  const tidy = (): void => {
    tidying ??= tidyDatabase(database, { events, audit }, stop)
      .catch((error: unknown) => log.error(faultWords(error), 'the database was not tidied up'))
      .finally(() => (tidying = undefined));
  };
  const timers = [
    setInterval(() => manager.notify('WATCHDOG=1'), WATCHDOG_EVERY),
    setInterval(() => watch.hasChanged(tls) && renew(), CERTIFICATE_EVERY),
    setInterval(tidy, TIDY_EVERY),
  ];
  return {
    renew,
    end: async () => {
      for (const timer of timers) clearInterval(timer);
      await tidying;
    },
  };
}

async function tidyDatabase(database: Database, bounds: PruneBounds, stop: AbortSignal): Promise<void> {
  await prune(database, bounds, stop);
  if (!stop.aborted) await database.tend();
}

/** A pair that is no good changes nothing. */
function renewCertificate(tls: NonNullable<RegionConfig['tls']>, region: Region, log: Logger): void {
  try {
    const { pair, subject, notAfter } = readKeyPair(tls.certificate, tls.key);
    region.renewCertificate(pair);
    log.info({ subject, expires: new Date(notAfter).toISOString() }, 'the certificate was read anew');
  } catch (error) {
    const reason = error instanceof KeyPairError ? error.message : 'the files make no TLS server';
    log.error({ reason }, 'the certificate was not read anew: that before it is used on');
  }
}
