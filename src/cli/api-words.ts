import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';

import {
  readWords,
  requestOf,
  WordsError,
  type ApiRequest,
  type Field,
  type WrittenField,
} from '../api-client/api-request.ts';
import { wordOf, type ApiAction, type Resource } from '../api-client/commands.ts';
import type { Profile } from '../api-client/profiles.ts';
import { withSuggestion } from '../plan/nearest-name.ts';
import { pinText } from '../plan/text-forms.ts';
import { messageOf } from '../system/message-of.ts';
import { signatureOf } from './api-help.ts';

/** Of one file that a field is taken from: keyrings and scripts are far smaller. */
const MOST_FILE = 32 * 1024 * 1024;

/** Words and options, as `parseArgs` has them. Throws WordsError. */
export function parsed<const T extends ParseArgsOptionsConfig>(words: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...words], options, strict: true, allowPositionals: true });
  } catch (error) {
    throw new WordsError(messageOf(error));
  }
}

/** Throws WordsError where no profile can be called so. */
export function checkName(name: string): void {
  if (!/^[^\s\p{C}-][^\s\p{C}]{0,99}$/u.test(name))
    throw new WordsError(
      `expected a name of at most 100 characters without blanks for PROFILE, found ${JSON.stringify(name)}`,
    );
}

interface TrustWords {
  readonly ca?: string | undefined;
  readonly pin?: string[] | undefined;
}

/** What --ca and --pin say. Throws WordsError. */
export function trustOf({ ca, pin }: TrustWords, address: string): Pick<Profile, 'ca' | 'pins'> {
  if ((ca ?? pin) !== undefined && address.startsWith('http:'))
    throw new WordsError('--ca and --pin are for a URL with https');
  const pem = ca === undefined ? undefined : readText(ca);
  if (pem !== undefined && !pem.includes('-----BEGIN CERTIFICATE-----'))
    throw new WordsError(`--ca: ${ca ?? ''} holds no certificate in PEM`);
  return { ...(pem !== undefined && { ca: pem }), ...(pin && { pins: pin.map(pinOf) }) };
}

function pinOf(text: string): string {
  const { data } = pinText.safeParse(text);
  if (data === undefined)
    throw new WordsError(
      `--pin: expected a SHA-256, as 64 hexadecimal digits or in base64, found ${JSON.stringify(text)}`,
    );
  return data;
}

/** Throws WordsError. */
export function readText(file: string): string {
  return readWhole(file).toString('utf8');
}

function readWhole(file: string): Buffer<ArrayBuffer> {
  let bytes: Buffer<ArrayBuffer>;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new WordsError(`${file} can't be read: ${messageOf(error)}`);
  }
  if (bytes.length > MOST_FILE) throw new WordsError(`${file} is larger than ${MOST_FILE} bytes`);
  return bytes;
}

/** What is sent for what was written behind an action. Throws WordsError, with how it should be. */
export function asked(resource: Resource, action: ApiAction, words: readonly string[]): ApiRequest {
  try {
    const { uri, fields } = readWords(action, words);
    return requestOf(action, uri, fields.map(loaded));
  } catch (error) {
    if (!(error instanceof WordsError)) throw error;
    throw new WordsError(`${resource.name} ${signatureOf(action)}: ${error.message}`);
  }
}

function loaded(field: WrittenField): Field {
  return 'value' in field
    ? [field.name, field.value]
    : [field.name, { fileName: basename(field.file), bytes: readWhole(field.file) }];
}

/** The one that a word means. `more`: the command that lists them. Throws WordsError. */
export function found<T extends { readonly name: string }>(
  kind: string,
  word: string,
  known: readonly T[],
  more: string,
): T {
  // An op may be written as the API has it: set_config
  const name = wordOf(word);
  const one = known.find((each) => each.name === name);
  if (one) return one;
  const names = known.map((each) => each.name);
  throw new WordsError(`there is no ${kind} ${withSuggestion(word, names)}; \`${more}\` lists them`);
}
