import { migrate } from '../region/database/migrate.ts';
import { Refusal } from '../region/refusal.ts';
import type { RegionConfig } from '../region/region-config.ts';
import { obeyDesk, type DeskOrder, type RackLine } from '../region/region-desk.ts';
import { messageOf } from '../system/message-of.ts';
import { askDaemon, RefusedError, UnreachableError } from './control-client.ts';
import {
  enterState,
  loadRegionConfig,
  lockState,
  openRegionDatabase,
  patiently,
  type Identity,
  type RegionPlace,
} from './region-state.ts';

/** Of clocks that are so far apart one is told. Milliseconds. */
const MUCH_SKEW = 2_000;

/** Any command of `rackboot region` but `run`: by the server that runs, or on the database itself. Undefined: the file has faults. */
export async function askRegion<T>(
  place: RegionPlace,
  identity: Identity,
  wish: DeskOrder,
  complain: (line: string) => void,
): Promise<T | undefined> {
  const config = loadRegionConfig(place, complain);
  if (!config) return undefined;
  return patiently(config, async () => {
    const answer = await askServer<T>(config, wish);
    if (answer !== undefined) return answer;
    enterState(config, identity);
    // A PostgreSQL can have several at once
    const isOurs = config.database !== 'embedded' || lockState(config);
    return isOurs ? ((await obeyAlone(config, wish, complain)) as T) : undefined;
  });
}

/** Undefined where none answers. */
async function askServer<T>({ control }: RegionConfig, wish: DeskOrder): Promise<T | undefined> {
  try {
    return await askDaemon<T>(control, '/desk', 'POST', JSON.stringify(wish));
  } catch (error) {
    if (error instanceof UnreachableError) return undefined;
    throw error;
  }
}

async function obeyAlone(config: RegionConfig, wish: DeskOrder, complain: (line: string) => void): Promise<unknown> {
  const database = await openRegionDatabase(config, (error) => complain(messageOf(error)));
  try {
    await migrate(database);
    return await obeyDesk(database, wish);
  } catch (error) {
    throw error instanceof Refusal ? new RefusedError(error.message) : error;
  } finally {
    await database.close();
  }
}

/** A rack in one line, with what is wrong below it. `now`: Unix milliseconds. */
export function* describeRack(rack: RackLine, now: number): Generator<string> {
  const { name, id, plan, taken, seen, from, version, waiting, refused, conflicts = [] } = rack;
  const last =
    seen === undefined
      ? 'never seen'
      : `seen ${Math.max(0, Math.round((now - Date.parse(seen)) / 1000))} s ago at ${from ?? '?'}`;
  const state = taken === plan ? `plan ${plan}` : `plan ${taken ?? 'none'} of ${plan}`;
  yield `${name.padEnd(20)} ${id} ${state}, ${last}, rackboot ${version ?? '?'}, ${waiting ?? 0} events wait`;
  for (const fault of refused ?? []) yield `  REFUSED ${fault}`;
  yield* troublesOf(rack);
  for (const conflict of conflicts) yield `  ${conflict}`;
}

function* troublesOf({ skewMilliseconds = 0, forgotten, mended }: RackLine): Generator<string> {
  const seconds = Math.round(Math.abs(skewMilliseconds) / 1000);
  if (Math.abs(skewMilliseconds) > MUCH_SKEW) {
    yield `  its clock is ${seconds} s ${skewMilliseconds > 0 ? 'ahead of' : 'behind'} the region's`;
  }
  if (forgotten > 0) yield `  it gave up ${forgotten} events that could not be told in time`;
  if (mended > 0) yield `  ${mended} of its events were not as they should be`;
}

/** What is to be done after `rackboot region init`. */
export function* nextSteps(config: string): Generator<string> {
  const option = config === '/etc/rackboot/region.yaml' ? '' : ` --config ${config}`;
  yield 'the region is there, with the domain maas; next:';
  yield option === '' ? '  systemctl enable --now rackboot-region' : `  rackboot region run${option}`;
  yield `  rackboot region createadmin${option} --username=root --email=root@example.com`;
  yield `  rackboot region apikey${option} --username=root`;
  yield `  rackboot region enrol-rack${option}, for each rack`;
}
