import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { RACK } from './rack-rig.ts';

/** A name server that is to have zones of the rack. */
export interface Secondary {
  readonly name: 'Knot' | 'NSD' | 'BIND';
  /** Its own, on the clients' end of the wire. */
  readonly address: string;
  /** How it is started, in the foreground. */
  readonly argv: readonly string[];
}

export interface SecondaryWishes {
  readonly address: string;
  readonly zones: readonly string[];
  /** The key by which it asks, and by which it is told. */
  readonly key?: { readonly name: string; readonly secret: string };
}

/** Knot, which asks and is told by the key. */
export function knotSecondary(directory: string, { address, zones, key }: SecondaryWishes): Secondary {
  const home = homeOf(directory, 'knot');
  const keyLine = key ? `\n    key: ${key.name}` : '';
  const config = write(home, 'knot.conf', [
    `server:\n    rundir: ${home}\n    listen: ${address}@53`,
    `database:\n    storage: ${home}`,
    'log:\n  - target: stderr\n    any: info',
    key ? `key:\n  - id: ${key.name}\n    algorithm: hmac-sha256\n    secret: ${key.secret}` : '',
    `remote:\n  - id: rack\n    address: ${RACK}@53\n    via: ${address}${keyLine}`,
    `acl:\n  - id: told\n    address: ${RACK}\n    action: notify${keyLine}`,
    `template:\n  - id: default\n    storage: ${home}\n    zonefile-sync: -1\n    journal-content: all`,
    `zone:\n${zones.map((zone) => `  - domain: ${zone}\n    master: rack\n    acl: told`).join('\n')}`,
  ]);
  return { name: 'Knot', address, argv: logged(home, 'knotd', '-c', config) };
}

export function nsdSecondary(directory: string, { address, zones, key }: SecondaryWishes): Secondary {
  const home = homeOf(directory, 'nsd');
  const by = key?.name ?? 'NOKEY';
  const config = write(home, 'nsd.conf', [
    `server:\n  ip-address: ${address}\n  username: ""\n  chroot: ""\n  zonesdir: "${home}"\n  server-count: 1`,
    `  pidfile: "${home}/pid"\n  xfrdfile: "${home}/xfrd"\n  zonelistfile: "${home}/zones"\n  xfrdir: "${home}"\n  database: ""`,
    'remote-control:\n  control-enable: no',
    key ? `key:\n  name: "${key.name}"\n  algorithm: hmac-sha256\n  secret: "${key.secret}"` : '',
    ...zones.map((zone) =>
      [
        `zone:\n  name: "${zone}"\n  zonefile: "${zone}.zone"`,
        `  allow-notify: ${RACK} ${by}\n  request-xfr: ${RACK} ${by}\n  outgoing-interface: ${address}`,
      ].join('\n'),
    ),
  ]);
  return { name: 'NSD', address, argv: logged(home, 'nsd', '-d', '-c', config) };
}

export function bindSecondary(directory: string, { address, zones, key }: SecondaryWishes): Secondary {
  const home = homeOf(directory, 'bind');
  const by = key ? ` key "${key.name}"` : '';
  const config = write(home, 'named.conf', [
    `options { directory "${home}"; pid-file "pid"; session-keyfile "session.key"; listen-on { ${address}; };`,
    '  listen-on-v6 { none; }; recursion no; notify no; dnssec-validation no; empty-zones-enable no; };',
    'controls { };',
    key ? `key "${key.name}" { algorithm hmac-sha256; secret "${key.secret}"; };` : '',
    key ? `server ${RACK} { keys { "${key.name}"; }; };` : '',
    ...zones.map((zone) =>
      [
        `zone "${zone}" { type secondary; file "${zone}.db"; primaries { ${RACK}${by}; };`,
        `  transfer-source ${address}; allow-notify { ${RACK}; }; };`,
      ].join('\n'),
    ),
  ]);
  return { name: 'BIND', address, argv: logged(home, 'named', '-g', '-n', '1', '-c', config) };
}

/** What it says goes into a file, in the place of the program that starts it. */
function logged(home: string, ...argv: readonly string[]): string[] {
  return ['sh', '-c', 'log=$1; shift; exec "$@" >"$log" 2>&1', 'sh', join(home, 'log'), ...argv];
}

function homeOf(directory: string, name: string): string {
  const home = join(directory, name);
  mkdirSync(home, { recursive: true });
  return home;
}

function write(home: string, name: string, lines: readonly string[]): string {
  const file = join(home, name);
  writeFileSync(file, `${lines.filter((line) => line !== '').join('\n')}\n`);
  return file;
}
