/*
 * `npm run bench -- sockets|footprint|dhcp|dns|tftp|http|storm|images|watch|region|region-catchup [--quick]`: measurements, side by side in one run; medians, as machines are noisy.
 * All but the first two and the last three also take --json FILE and --only SERVER (may be repeated), dhcp --scenario empty|leases|full, dns
 * --scenario hosts|small|large|absent|cache.
 */
import { parseArgs } from 'node:util';

import { benchDhcp } from './dhcp.ts';
import { benchDns } from './dns.ts';
import { benchFootprint } from './footprint.ts';
import { benchHttp } from './http.ts';
import { benchImages } from './images.ts';
import { benchRegion } from './region.ts';
import { benchRegionCatchup } from './region-catchup.ts';
import { benchSockets } from './sockets.ts';
import { benchStorm } from './storm.ts';
import { benchTftp } from './tftp.ts';
import { benchWatch } from './watch.ts';

const { values, positionals } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    scenario: { type: 'string' },
    json: { type: 'string' },
    only: { type: 'string', multiple: true },
  },
  allowPositionals: true,
});
const { quick, scenario, json, only = [] } = values;

const BENCHES: Readonly<Record<string, () => Promise<void>>> = {
  sockets: () => benchSockets(quick),
  footprint: () => benchFootprint(quick),
  dhcp: () => benchDhcp({ quick, scenario: scenario ?? 'empty', only, json }),
  dns: () => benchDns({ quick, scenario, only, json }),
  tftp: () => benchTftp({ quick, only, json }),
  http: () => benchHttp({ quick, only, json }),
  storm: () => benchStorm({ quick, only, json }),
  images: () => benchImages({ quick, only, json }),
  watch: () => benchWatch(quick),
  region: () => benchRegion({ quick }),
  'region-catchup': () => benchRegionCatchup(quick),
};

const bench = positionals.length === 1 ? BENCHES[positionals[0] ?? ''] : undefined;
if (bench) {
  await bench();
} else {
  console.error(`usage: npm run bench -- ${Object.keys(BENCHES).join('|')} [--quick]`);
  process.exitCode = 2;
}
