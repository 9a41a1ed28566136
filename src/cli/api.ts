import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { readWords, requestOf, WordsError } from '../api-client/api-request.ts';
import {
  descriptionSchema,
  resourcesOf,
  type ApiAction,
  type Description,
  type Resource,
} from '../api-client/description.ts';
import { parseApiKey, type ApiKey } from '../api-client/oauth.ts';
import { Profiles, type Profile } from '../api-client/profiles.ts';
import { NoAnswer, send, type ApiReply } from '../api-client/send.ts';
import { withSuggestion } from '../plan/nearest-name.ts';
import { RefusedError, UnreachableError } from './control-client.ts';

export interface ApiOptions {
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly now: () => number;
  /** All of standard input. */
  readonly readInput: () => string;
  /** Standard output, as it is. */
  readonly write: (bytes: Uint8Array) => void;
  readonly print: (line: string) => void;
  readonly complain: (line: string) => void;
}

const WRONG_USAGE = 2;
const USAGE = `usage: rackboot api login PROFILE URL [KEY|-] [--ca FILE]   who you are at a region; the key by apikey of the region
       rackboot api list | logout PROFILE | refresh
       rackboot api PROFILE [RESOURCE [ACTION]] --help   what it can do
       rackboot api PROFILE RESOURCE ACTION [ID…] [name=value | name@=FILE]… [--debug]`;

/** `rackboot api`: a client of a region, or of a MAAS, whose commands are what that says of itself. */
export async function api(options: ApiOptions): Promise<number> {
  const [first, ...rest] = options.words;
  const session = new Session(options);
  try {
    if (first === undefined || first === '--help') {
      options.print(USAGE);
      return first === undefined ? WRONG_USAGE : 0;
    }
    if (first === 'login') return await session.login(rest);
    if (first === 'logout') return session.logout(rest);
    if (first === 'list') return session.list();
    if (first === 'refresh') return await session.refresh();
    return await session.run(first, rest);
  } catch (error) {
    if (error instanceof WordsError) {
      options.complain(`rackboot: api: ${error.message}`);
      return WRONG_USAGE;
    }
    throw error instanceof NoAnswer ? new UnreachableError(error.message) : error;
  }
}

class Session {
  readonly #options: ApiOptions;
  readonly #profiles: Profiles;

  constructor(options: ApiOptions) {
    this.#options = options;
    const { environment } = options;
    const home = environment['XDG_CONFIG_HOME'] ?? join(environment['HOME'] ?? homedir(), '.config');
    this.#profiles = new Profiles(join(home, 'rackboot', 'profiles.json'));
  }

  async login(words: readonly string[]): Promise<number> {
    const { values, ca } = takeCa(words);
    const [profile, url, given, ...more] = values;
    if (profile === undefined || url === undefined || more.length > 0 || !/^[\w.-]{1,100}$/.test(profile)) {
      throw new WordsError('expected login PROFILE URL [KEY|-]');
    }
    if (RESERVED.has(profile)) throw new WordsError(`a profile can't be called ${profile}`);
    const key = parseApiKey(given === undefined || given === '-' ? this.#options.readInput() : given);
    if (!key)
      throw new WordsError('expected a key of three parts with colons between, as `rackboot region apikey` prints it');
    const place = placeOf(url);
    const description = await this.#describe(place, key, ca);
    this.#profiles.set(profile, { url: place, key, description, ...(ca !== undefined && { ca }) });
    const { print } = this.#options;
    print('');
    print('You are now logged in to the MAAS server at');
    print(`${place} with the profile name '${profile}'.`);
    print('');
    print('For help with the available commands, try:');
    print('');
    print(`  rackboot api ${profile} --help`);
    print('');
    return 0;
  }

  logout([profile, ...more]: readonly string[]): number {
    if (profile === undefined || more.length > 0) throw new WordsError('expected logout PROFILE');
    if (!this.#profiles.remove(profile)) throw new RefusedError(`there is no profile ${profile}`);
    return 0;
  }

  list(): number {
    for (const [name, { url }] of Object.entries(this.#profiles.all())) this.#options.print(`${name} ${url}`);
    return 0;
  }

  async refresh(): Promise<number> {
    for (const [name, profile] of Object.entries(this.#profiles.all())) {
      this.#profiles.set(name, { ...profile, description: await this.#describe(profile.url, profile.key, profile.ca) });
    }
    return 0;
  }

  async run(name: string, words: readonly string[]): Promise<number> {
    const profiles = this.#profiles.all();
    const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
    if (!profile) throw new WordsError(`there is no profile ${name}: \`rackboot api login\` makes one`);
    const resources = resourcesOf(profile.description);
    const isHelp = words.includes('--help') || words.includes('-h');
    const isLoud = words.includes('--debug') || words.includes('-d');
    const [wanted, verb, ...rest] = words.filter((word) => !OPTIONS.has(word));
    if (wanted === undefined) return this.#help(resourceLines(resources), isHelp);
    const resource = resources.find((each) => each.name === wanted);
    if (!resource) throw new WordsError(unknown('resource', wanted, resources));
    if (verb === undefined) return this.#help(actionLines(resource), isHelp);
    const action = resource.actions.find((each) => each.name === verb);
    if (!action) throw new WordsError(unknown('action', verb, resource.actions));
    if (isHelp) return this.#help(parameterLines(action), true);
    return this.#send(profile, action, rest, isLoud);
  }

  #help(lines: Iterable<string>, isAsked: boolean): number {
    for (const line of lines) this.#options.print(line);
    return isAsked ? 0 : WRONG_USAGE;
  }

  async #send(profile: Profile, action: ApiAction, words: readonly string[], isLoud: boolean): Promise<number> {
    const { uri, fields, files } = readWords(action, words);
    const read = files.map(([name, path]) => [name, readValue(path)] as const);
    const request = requestOf(action, uri, [...fields, ...read]);
    const { complain, print, write, now } = this.#options;
    if (isLoud)
      complain(`${request.method} ${originOf(profile.url)}${request.path}, OAuth with the key of this profile`);
    const reply = await send({ origin: originOf(profile.url), key: profile.key, ca: profile.ca }, request, now);
    if (isLoud) complain(`${reply.status} ${reply.type}, ${reply.body.length} bytes`);
    if (reply.hash !== undefined && reply.hash !== profile.description.hash) {
      complain(
        'the API of this region is another than at the login: `rackboot api refresh` takes up what it can do now',
      );
    }
    if (reply.status < 200 || reply.status > 299) {
      complain(`${reply.status}: ${plain(reply.body.toString('utf8')).trim()}`);
      return 1;
    }
    print('Success.');
    print('Machine-readable output follows:');
    write(readable(reply));
    return 0;
  }

  /** What it can do, once it took the key. */
  async #describe(place: string, key: ApiKey, ca: string | undefined): Promise<Description> {
    const { now } = this.#options;
    const path = new URL(place).pathname;
    const server = { origin: originOf(place), ca };
    const reply = await send(server, { method: 'GET', path: `${path}describe/`, fields: [] }, now);
    const description = reply.status === 200 ? descriptionOf(reply) : undefined;
    if (!description) throw new RefusedError(`${place} is no API that describes itself (status ${reply.status})`);
    const proof = path.endsWith('/1.0/') ? 'nodegroups/?op=list' : 'users/?op=whoami';
    const { status } = await send({ ...server, key }, { method: 'GET', path: `${path}${proof}`, fields: [] }, now);
    if (status === 401) throw new RefusedError(`${place} does not know this key`);
    if (status !== 200) throw new RefusedError(`${place} does not take the key (status ${status})`);
    return description;
  }
}

const OPTIONS: ReadonlySet<string> = new Set(['--help', '-h', '--debug', '-d']);
const RESERVED: ReadonlySet<string> = new Set(['login', 'logout', 'list', 'refresh']);
const NEWEST = '/MAAS/api/2.0/';

function takeCa(words: readonly string[]): { readonly values: readonly string[]; readonly ca?: string } {
  const at = words.indexOf('--ca');
  const ca = at === -1 ? undefined : words[at + 1];
  if (ca === undefined) return { values: words };
  return { values: [...words.slice(0, at), ...words.slice(at + 2)], ca };
}

/** Of what an operator wrote: with version, and a slash at its end. */
function placeOf(text: string): string {
  const url = URL.parse(text);
  if (!url || !['http:', 'https:'].includes(url.protocol))
    throw new WordsError(`expected a URL like http://region.example:5240/MAAS/, found ${text}`);
  const path = url.pathname.replace(/\/*$/, '/');
  return `${url.origin}${/\/api\/\d\.\d\/$/.test(path) ? path : NEWEST}`;
}

function originOf(url: string): string {
  return new URL(url).origin;
}

function descriptionOf({ body }: ApiReply): Description | undefined {
  try {
    return descriptionSchema.parse(JSON.parse(body.toString('utf8')));
  } catch {
    return undefined;
  }
}

function readValue(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new WordsError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** JSON with four blanks, in the order in which the server said it; other things as they are. */
function readable({ body, type }: ApiReply): Buffer {
  if (!/^application\/json\b/.test(type))
    return body.length === 0 || type.startsWith('text/') ? Buffer.concat([body, Buffer.from('\n')]) : body;
  try {
    return Buffer.from(`${JSON.stringify(JSON.parse(body.toString('utf8')), undefined, 4)}\n`);
  } catch {
    return body;
  }
}

/** What a server says may not move the cursor of a terminal. */
function plain(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n\t]/gu, ' ');
}

function unknown(kind: string, found: string, known: readonly { readonly name: string }[]): string {
  const names = known.map(({ name }) => name);
  return `there is no ${kind} ${withSuggestion(found, names)}: there are ${plain(names.join(', '))}`;
}

function* resourceLines(resources: readonly Resource[]): Generator<string> {
  for (const { name, doc } of resources) yield `  ${plain(name).padEnd(28)} ${firstLine(doc)}`;
}

function* actionLines({ actions }: Resource): Generator<string> {
  for (const { name, params, doc } of actions) {
    yield `  ${plain([name, ...params.map((param) => param.toUpperCase())].join(' ')).padEnd(40)} ${firstLine(doc)}`;
  }
}

function* parameterLines({ name, params, doc }: ApiAction): Generator<string> {
  yield plain([name, ...params.map((param) => param.toUpperCase()), '[name=value]…'].join(' '));
  yield '';
  yield plain(doc);
}

function firstLine(doc: string): string {
  return plain(doc.trim().split('\n', 1)[0] ?? '');
}
