import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { compilePlan } from '../plan/compile-plan.ts';
import { formatFault } from '../plan/fault.ts';
import { regionText } from '../plan/text-forms.ts';
import { createSurvey } from '../rack/surroundings.ts';
import { connectRegion } from '../sync/connect-region.ts';
import { CredentialsFile } from '../sync/credentials-file.ts';
import { enrol, type Enrolled } from '../sync/enrol.ts';
import { RegionFault } from '../sync/region-fault.ts';
import { messageOf } from '../system/message-of.ts';
import { programVersion } from '../system/version.ts';

export interface EnrolOptions {
  readonly config: string;
  readonly token: string;
  /** In the place of those in the file. */
  readonly url?: string | undefined;
}

/** `rackboot enrol`: makes this rack known to a region. Exit code 1 when that did not come about. */
export async function enrolRack({ config, token, url }: EnrolOptions, out: (line: string) => void): Promise<number> {
  const { plan, faults } = compilePlan(readFileSync(config, 'utf8'), config, createSurvey()());
  if (!plan) {
    for (const fault of faults) out(formatFault(fault));
    out('a rack is enrolled by what its file says: `region: { url: … }` is enough of it');
    return 1;
  }
  const { rack, region } = plan;
  const given = url === undefined ? undefined : regionText.safeParse(url);
  if (given?.success === false) {
    out(`--url: expected ${given.error.issues[0]?.message ?? 'a URL'}, found ${url ?? ''}`);
    return 1;
  }
  const urls = given ? [given.data] : (region?.urls ?? []);
  if (urls.length === 0) {
    out(`${config} has no region: give --url, or write \`region: { url: … }\` there`);
    return 1;
  }
  for (const each of urls)
    if (each.startsWith('http:')) out(`${each} is not encrypted: whoever is on the way sees all`);
  const file = new CredentialsFile(region?.credentials ?? join(rack.state, 'region.key'), rack.state);
  const wish = { token, name: rack.name, version: programVersion(), urls };
  try {
    const enrolled = await enrol(wish, file, (each) => connectRegion(each, region ?? {}));
    for (const line of nextSteps(enrolled, file.path, region?.urls, config)) out(line);
    return 0;
  } catch (error) {
    out(`not enrolled: ${messageOf(error)}`);
    if (error instanceof RegionFault && error.kind === 'away') out('call this once more, with the same token');
    return 1;
  }
}

function* nextSteps(
  { rack, url }: Enrolled,
  file: string,
  followed: readonly string[] | undefined,
  config: string,
): Generator<string> {
  yield `enrolled at ${url} as ${rack}; its key is in ${file}`;
  if (followed?.includes(url))
    yield 'a daemon that runs follows it within seconds: `rackboot status` shows how that goes';
  else yield `next, write into ${config}: region: { url: "${url}" }`;
}
