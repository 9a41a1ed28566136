import type { ApiAction, Resource } from '../api-client/commands.ts';
import { plainLine, plainText } from '../api-client/plain-text.ts';

export const API_USAGE = `usage: rackboot api login PROFILE URL [KEY|-] [--key-file F] [--ca F] [--pin SHA256]…
       rackboot api list
       rackboot api logout PROFILE
       rackboot api refresh [PROFILE]…
       rackboot api PROFILE RESOURCE ACTION [ID…] [name=value | name@=FILE]… [--debug]
       rackboot api PROFILE [RESOURCE [ACTION]] --help

  login     who you are at a region, or at a MAAS, under a name of your choice. URL: http://region.example:5240/MAAS/, with
            /api/1.0/ or /api/2.0/ behind it for one version. The key is what \`rackboot region apikey\` prints; - reads it from
            standard input; it is asked for when none is given. Other programs see what is written on a command line.
            --ca: who may vouch for its certificate, PEM. --pin: SHA-256 of its public key; then nobody need vouch for it
  refresh   learns again what they can do
  --debug   shows what is sent and what comes back, without the key
  name=     several times for several values; name@= takes the value out of a file`;

/** What a region can be asked for. */
export function* resourceHelp(profile: string, address: string, resources: readonly Resource[]): Generator<string> {
  yield `usage: rackboot api ${profile} RESOURCE ACTION [ID…] [name=value | name@=FILE]…`;
  yield '';
  yield `what ${address} has:`;
  yield* table(resources.map(({ name, doc }) => [name, summaryOf(doc)]));
  yield '';
  yield `\`rackboot api ${profile} RESOURCE --help\` lists the actions of one`;
}

export function* actionHelp(profile: string, { name, doc, actions }: Resource): Generator<string> {
  yield `usage: rackboot api ${profile} ${name} ACTION [ID…] [name=value | name@=FILE]…`;
  yield '';
  yield* docLines(doc);
  yield 'actions:';
  yield* table(actions.map((action) => [signatureOf(action), summaryOf(action.doc)]));
  yield '';
  yield `\`rackboot api ${profile} ${name} ACTION --help\` tells of one`;
}

export function* parameterHelp(profile: string, resource: string, action: ApiAction): Generator<string> {
  const { method, op, path, doc } = action;
  yield `usage: rackboot api ${profile} ${resource} ${signatureOf(action)} [name=value | name@=FILE]…`;
  yield '';
  const { text, parameters } = readDoc(doc);
  yield* docLines(text);
  if (parameters.length > 0) {
    yield 'parameters:';
    yield* table(parameters);
    yield '';
  }
  yield plainLine(`${method} ${path}${op === undefined ? '' : `?op=${op}`}`, 2_000);
}

/** update UUID NAME */
export function signatureOf({ name, params }: ApiAction): string {
  return [name, ...params.map((param) => param.toUpperCase())].join(' ');
}

/** What is asked for beside what stands in the path, as reStructuredText has it: `:param os: …`, `:type os: …`. */
function readDoc(doc: string): { readonly text: string; readonly parameters: readonly (readonly [string, string])[] } {
  const text: string[] = [];
  const parameters = new Map<string, string>();
  let current: string | undefined;
  for (const line of doc.replaceAll('\r\n', '\n').split('\n')) {
    const [, kind, name = '', rest = ''] = /^\s*:(param|type) (\w+):\s*(.*)$/.exec(line) ?? [];
    const told = parameters.get(kind === undefined ? (current ?? '') : name);
    if (kind === 'param') parameters.set(name, rest);
    else if (kind === 'type') parameters.set(name, told === undefined ? `(${rest})` : `${told} (${rest})`);
    else if (current !== undefined && line.trim() !== '') parameters.set(current, `${told ?? ''} ${line.trim()}`);
    else text.push(line);
    current = kind === 'param' ? name : kind === undefined && line.trim() !== '' ? current : undefined;
  }
  return { text: text.join('\n'), parameters: [...parameters] };
}

function* docLines(doc: string): Generator<string> {
  const text = plainText(doc.replaceAll('\r\n', '\n'))
    .trim()
    .replaceAll(/\n\s*\n/g, '\n\n');
  if (text === '') return;
  for (const line of text.split('\n')) yield line.trimEnd();
  yield '';
}

/** The first sentence, or line. */
function summaryOf(doc: string): string {
  const [first = ''] = doc.trim().split('\n', 1);
  return plainLine(/^.*?\.(?=\s|$)/.exec(first)?.[0] ?? first, 100);
}

function* table(rows: readonly (readonly [name: string, what: string])[]): Generator<string> {
  const width = Math.min(40, Math.max(0, ...rows.map(([name]) => name.length)));
  for (const [name, what] of rows) yield `  ${name.padEnd(width)}  ${plainLine(what, 1_000)}`.trimEnd();
}
