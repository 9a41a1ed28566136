import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

import { apiAddress } from '../api-client/api-address.ts';
import { ApiClient, ApiFault, elsewhere, isOutdated, statusLine } from '../api-client/api-client.ts';
import { WordsError } from '../api-client/api-request.ts';
import { resourcesOf, type ApiAction, type Resource } from '../api-client/commands.ts';
import { parseApiKey, withoutSecret, type ApiKey } from '../api-client/oauth.ts';
import { plainText } from '../api-client/plain-text.ts';
import { Profiles, type Profile } from '../api-client/profiles.ts';
import { bytesOf, shownReply } from '../api-client/reply-text.ts';
import { NoAnswer, send, type Send, type WireReply } from '../api-client/send.ts';
import { withSuggestion } from '../plan/nearest-name.ts';
import { actionHelp, API_USAGE, parameterHelp, resourceHelp } from './api-help.ts';
import { asked, checkName, found, parsed, readText, trustOf } from './api-words.ts';
import { RefusedError, UnreachableError } from './control-client.ts';

export interface ApiOptions {
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly now: () => number;
  /** Whether standard output is a terminal. */
  readonly isTerminal: boolean;
  /** All of standard input. */
  readonly readInput: () => Promise<string>;
  /** At a terminal, without showing what is typed; absent where there is nobody to ask. */
  readonly askSecret?: ((question: string) => Promise<string>) | undefined;
  /** Default: by HTTP. */
  readonly send?: Send;
  /** Standard output, as it is. */
  readonly write: (bytes: Uint8Array) => void;
  readonly print: (line: string) => void;
  readonly complain: (line: string) => void;
}

const WRONG_USAGE = 2;
const MOST_ERROR_TEXT = 16_384;

/**
 * `rackboot api`: a client of a region, or of a MAAS, whose commands are what that says of itself. Exit code 1 when the answer is no, 2
 * for wrong usage; throws UnreachableError where nobody answers.
 */
export async function api(options: ApiOptions): Promise<number> {
  const [first, ...rest] = options.words;
  const session = new Session(options);
  try {
    if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
      options.print(API_USAGE);
      return first === undefined ? WRONG_USAGE : 0;
    }
    const own = OWN_COMMANDS.get(first);
    if (!own) return await session.run(options.words);
    if (!rest.includes('--help') && !rest.includes('-h')) return await session[own](rest);
    options.print(API_USAGE);
    return 0;
  } catch (error) {
    if (error instanceof WordsError) {
      options.complain(`rackboot: api: ${plainText(error.message)}`);
      options.complain('`rackboot api --help` tells how it is used');
      return WRONG_USAGE;
    }
    if (error instanceof NoAnswer) throw new UnreachableError(plainText(error.message));
    throw error instanceof ApiFault ? new RefusedError(plainText(error.message)) : error;
  }
}

/** No profile can be called like one of them. */
const OWN_COMMANDS: ReadonlyMap<string, 'login' | 'logout' | 'list' | 'refresh'> = new Map([
  ['login', 'login'],
  ['logout', 'logout'],
  ['list', 'list'],
  ['refresh', 'refresh'],
]);
const RESERVED: ReadonlySet<string> = new Set([...OWN_COMMANDS.keys(), 'help']);

const LOGIN_OPTIONS = {
  'key-file': { type: 'string' },
  ca: { type: 'string' },
  pin: { type: 'string', multiple: true },
} as const;
const CALL_OPTIONS = {
  help: { type: 'boolean', short: 'h', default: false },
  debug: { type: 'boolean', short: 'd', default: false },
} as const;

class Session {
  readonly #options: ApiOptions;
  readonly #profiles: Profiles;

  constructor(options: ApiOptions) {
    this.#options = options;
    this.#profiles = new Profiles(join(configHome(options.environment), 'rackboot', 'profiles.json'));
  }

  async login(words: readonly string[]): Promise<number> {
    const { values, positionals } = parsed(words, LOGIN_OPTIONS);
    const [name, url, given, ...more] = positionals;
    if (name === undefined || url === undefined || more.length > 0)
      throw new WordsError('expected login PROFILE URL [KEY|-]');
    if (RESERVED.has(name)) throw new WordsError(`a profile can't be called ${name}`);
    checkName(name);
    const address = apiAddress(url);
    if (address === undefined)
      throw new WordsError(`expected a URL like http://region.example:5240/MAAS/, found ${JSON.stringify(url)}`);
    const trust = trustOf(values, address);
    const key = await this.#readKey(given, values['key-file']);
    const client = this.#clientOf({ address, key, ...trust });
    const description = await client.describe();
    await client.prove();
    this.#profiles.put({ name, address, key, ...trust, description });
    for (const line of loginLines(name, address)) this.#options.print(line);
    return 0;
  }

  logout(words: readonly string[]): number {
    const [name, ...more] = parsed(words, {}).positionals;
    if (name === undefined || more.length > 0) throw new WordsError('expected logout PROFILE');
    const all = this.#profiles.all();
    if (!this.#profiles.remove(name)) throw new RefusedError(noProfile(name, all));
    return 0;
  }

  list(words: readonly string[]): number {
    if (parsed(words, {}).positionals.length > 0) throw new WordsError('expected nothing behind list');
    const all = this.#profiles.all();
    const width = Math.max(0, ...all.map(({ name }) => name.length));
    for (const { name, address } of all) this.#options.print(`${name.padEnd(width)} ${address}`);
    return 0;
  }

  /** One that does not answer keeps none of the others from it. */
  async refresh(words: readonly string[]): Promise<number> {
    const names = parsed(words, {}).positionals;
    const all = this.#profiles.all();
    const unknown = names.find((name) => !all.some((profile) => profile.name === name));
    if (unknown !== undefined) throw new RefusedError(noProfile(unknown, all));
    const faults: Error[] = [];
    for (const profile of all) {
      if (names.length > 0 && !names.includes(profile.name)) continue;
      try {
        this.#profiles.put({ ...profile, description: await this.#clientOf(profile).describe() });
      } catch (error) {
        if (!(error instanceof NoAnswer) && !(error instanceof ApiFault)) throw error;
        faults.push(error);
        this.#options.complain(`${profile.name}: ${plainText(error.message)}`);
      }
    }
    if (faults.length === 0) return 0;
    throw faults.find((fault) => fault instanceof NoAnswer) ?? new RefusedError('not all are fresh');
  }

  async run(argv: readonly string[]): Promise<number> {
    const { values, positionals } = parsed(argv, CALL_OPTIONS);
    const [name = '', resourceWord, actionWord, ...words] = positionals;
    const { print } = this.#options;
    const all = this.#profiles.all();
    const profile = all.find((each) => each.name === name);
    if (!profile) throw new WordsError(`${noProfile(name, all)}: \`rackboot api login ${name} URL\` makes one`);
    const resources = resourcesOf(profile.description);
    if (resourceWord === undefined) return help(resourceHelp(name, profile.address, resources), values.help, print);
    const resource = found('resource', resourceWord, resources, `rackboot api ${name} --help`);
    if (actionWord === undefined) return help(actionHelp(name, resource), values.help, print);
    const action = found('action', actionWord, resource.actions, `rackboot api ${name} ${resource.name} --help`);
    if (values.help) return help(parameterHelp(name, resource.name, action), true, print);
    return this.#call(profile, resource, action, words, values.debug);
  }

  async #call(
    profile: Profile,
    resource: Resource,
    action: ApiAction,
    words: readonly string[],
    isDebug: boolean,
  ): Promise<number> {
    const request = asked(resource, action, words);
    const told = (text: string): void => this.#options.complain(withoutSecret(plainText(text), profile.key));
    const reply = await this.#clientOf(profile, isDebug ? told : undefined).call(request);
    if (isOutdated(profile.description, reply))
      told(`${profile.address} has another API than at the login: \`rackboot api refresh\` learns what it can do now`);
    if (reply.status >= 200 && reply.status < 300) {
      this.#show(reply);
      return 0;
    }
    told(`${statusLine(reply)}${elsewhere(reply)}`);
    const text = shownReply(reply)?.slice(0, MOST_ERROR_TEXT);
    if (text !== '') told(text ?? `${reply.body.length} bytes that are no text`);
    return 1;
  }

  /** For a program, all of it and nothing else; the words around it are for whoever sits there. */
  #show(reply: WireReply): void {
    const { print, write, complain, isTerminal } = this.#options;
    if (!isTerminal) {
      write(bytesOf(reply));
      return;
    }
    print('Success.');
    print('Machine-readable output follows:');
    const text = shownReply(reply);
    if (text === undefined)
      complain(`${reply.body.length} bytes that are no text: send them to a file, or to a program`);
    else print(text);
  }

  #clientOf(profile: Pick<Profile, 'address' | 'key' | 'ca' | 'pins'>, trace?: (line: string) => void): ApiClient {
    const { now, send: sender = send } = this.#options;
    const { address, key, ca, pins } = profile;
    return new ApiClient({ address, key, trust: { ca, pins }, send: sender, now, trace });
  }

  async #readKey(given: string | undefined, file: string | undefined): Promise<ApiKey> {
    if (given !== undefined && file !== undefined) throw new WordsError('expected KEY or --key-file, found both');
    const { askSecret, readInput } = this.#options;
    let text = given;
    if (file !== undefined) text = readText(file);
    else if (given === undefined && askSecret) text = await askSecret('API key: ');
    else if (given === undefined || given === '-') text = await readInput();
    const key = parseApiKey(text ?? '');
    // Not what was found: it may be most of a key
    if (!key)
      throw new WordsError('expected a key of three parts with colons between, as `rackboot region apikey` prints it');
    return key;
  }
}

function configHome(environment: ApiOptions['environment']): string {
  const given = environment['XDG_CONFIG_HOME'] ?? '';
  // A relative one is none, says its specification
  return isAbsolute(given) ? given : join(environment['HOME'] || homedir(), '.config');
}

function noProfile(name: string, all: readonly Profile[]): string {
  const names = all.map((profile) => profile.name);
  return `there is no profile ${withSuggestion(name, names)}`;
}

function help(lines: Iterable<string>, isAsked: boolean, print: (line: string) => void): number {
  for (const line of lines) print(line);
  return isAsked ? 0 : WRONG_USAGE;
}

/** As the document of 2015 shows it. */
function* loginLines(name: string, address: string): Generator<string> {
  yield '';
  yield 'You are now logged in to the MAAS server at';
  yield `${address} with the profile name '${name}'.`;
  yield '';
  yield 'For help with the available commands, try:';
  yield '';
  yield `  rackboot api ${name} --help`;
  yield '';
}
