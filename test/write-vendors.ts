/*
 * `npm run vendors [-- DIRECTORY]`: writes etc/vendors.txt anew, from the IEEE's registry as the npm package `oui-data` has it: the newest one
 * of the npm registry, or one unpacked in DIRECTORY. Only facts are taken over: which prefix is whose.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PACKAGE = 'oui-data';
const FILE = join(import.meta.dirname, '..', 'etc', 'vendors.txt');
/** Enough to know a vendor by, and to leave room for the rest of a line. */
const LONGEST_NAME = 28;
/** What a name need not end with. */
const LEGAL_FORM =
  /[\s,.]+(co(mpany|rp(oration)?|rporate)?|inc(orporated)?|ltd|limited|llc|gmbh|ag|s\.?a|s\.?r\.?l|s\.?p\.?a|b\.?v|a\/?b|a\/?s|oy|kg|plc|pty|pte|pvt|private|k\.?k|llp|lp|ltda|kft|nv|sas|s\.?r\.?o|zrt|\(trading\)|trading)[\s,.]*$/i;

const directory = process.argv[2] ?? fetchPackage();
const registry = JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8')) as Record<string, string>;
const prefixes = new Map<string, string[]>();
for (const [prefix, entry] of Object.entries(registry)) {
  const name = shorten(entry.split('\n', 1)[0] ?? '');
  if (name !== '' && /^([0-9A-F]{6}|[0-9A-F]{7}|[0-9A-F]{9})$/.test(prefix))
    prefixes.set(name, [...(prefixes.get(name) ?? []), prefix.toLowerCase()]);
}
const lines = [...prefixes].map(([name, all]) => `${name}\t${all.toSorted().join(' ')}\n`);
writeFileSync(FILE, lines.toSorted().join(''));
console.log(`${FILE}: ${Object.keys(registry).length} prefixes of ${lines.length} vendors`);

/** "Cisco Systems, Inc" → "Cisco Systems": plain ASCII, without what every firm is. */
function shorten(entry: string): string {
  const plain = entry
    .normalize('NFKD')
    .replaceAll(/[^\x20-\x7e]/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  let name = plain;
  for (let shorter = name.replace(LEGAL_FORM, ''); shorter !== name && shorter.length > 2;) {
    name = shorter;
    shorter = name.replace(LEGAL_FORM, '');
  }
  const calm = name === name.toUpperCase() && name.length > 5 ? capitalize(name) : name;
  return calm.length <= LONGEST_NAME ? calm : calm.slice(0, LONGEST_NAME).replace(/[\s,.(&-]+\S*$/, '');
}

/** "XEROX" → "Xerox": shouted names and others are then one vendor. */
function capitalize(name: string): string {
  return name.toLowerCase().replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase());
}

function fetchPackage(): string {
  const scratch = mkdtempSync(join(tmpdir(), 'rackboot-vendors-'));
  process.on('exit', () => rmSync(scratch, { recursive: true }));
  const archive = execFileSync('npm', ['pack', '--silent', PACKAGE], { cwd: scratch, encoding: 'utf8' }).trim();
  execFileSync('tar', ['xzf', archive], { cwd: scratch });
  return join(scratch, 'package');
}
