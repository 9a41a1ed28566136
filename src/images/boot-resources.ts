import { parse } from 'yaml';

import type { ImageSelection, ImageSource } from '../plan/plan.ts';
import { StreamError } from './streams/stream-error.ts';
import { kindOf, shown } from './streams/stream-json.ts';

/** What MAAS takes where no keyring is written. */
const USUAL_KEYRING = '/usr/share/keyrings/ubuntu-cloudimage-keyring.gpg';

/**
 * MAAS's own file of sources: `boot: { sources: [{ path, … }] }` as /etc/maas/bootresources.yaml had it in 1.5, or a bare list
 * of `{ url, keyring | keyring_data, selections }` as it is since. As there, an index called .json is not signed, and a word left
 * out of a selection is all. Throws StreamError; `file` is for messages.
 */
export function readBootResources(text: string, file: string): ImageSource[] {
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 100 });
  } catch (error) {
    throw new StreamError(`${file}: expected YAML, found ${shown(error instanceof Error ? error.message : error)}`);
  }
  const list = Array.isArray(value) ? value : fieldsOf(fieldsOf(value, file)['boot'], `${file}: boot`)['sources'];
  if (!Array.isArray(list)) throw new StreamError(`${file}: expected a list of sources, found ${kindOf(list)}`);
  return list.map((source, i) => readSource(source, `${file}: source ${i + 1}`));
}

function readSource(value: unknown, where: string): ImageSource {
  const fields = fieldsOf(value, where);
  const written = textOf(fields['url'] ?? fields['path'], `${where}: url`);
  const url = URL.parse(written);
  if (!url || !['http:', 'https:', 'file:'].includes(url.protocol)) {
    throw new StreamError(`${where}: url: expected an http, https or file URL, found ${shown(written)}`);
  }
  const selections = fields['selections'] ?? [];
  if (!Array.isArray(selections))
    throw new StreamError(`${where}: selections: expected a list, found ${kindOf(selections)}`);
  const isSigned = !/\/streams\/v1\/[^/]+\.json$/.test(url.pathname);
  return {
    name: written,
    url: url.href,
    ...(isSigned && keysOf(fields, where)),
    keep: 1,
    selections: selections.map((selection, i) => readSelection(selection, `${where}: selection ${i + 1}`)),
  };
}

function keysOf(
  fields: Readonly<Record<string, unknown>>,
  where: string,
): Pick<ImageSource, 'keyring' | 'keyringData'> {
  const { keyring, keyring_data: data } = fields;
  if (data instanceof Uint8Array) return { keyringData: Buffer.from(data).toString('base64') };
  if (data !== undefined && data !== '') return { keyringData: textOf(data, `${where}: keyring_data`) };
  return { keyring: textOf(keyring ?? USUAL_KEYRING, `${where}: keyring`) };
}

function readSelection(value: unknown, where: string): ImageSelection {
  const fields = fieldsOf(value, where);
  const one = (name: string): string => textOf(fields[name] ?? '*', `${where}: ${name}`);
  const many = (name: string): string[] => {
    const list = fields[name] ?? ['*'];
    if (!Array.isArray(list)) throw new StreamError(`${where}: ${name}: expected a list, found ${kindOf(list)}`);
    return list.map((word) => textOf(word, `${where}: ${name}`));
  };
  return {
    os: one('os'),
    release: one('release'),
    arches: many('arches'),
    subarches: many('subarches'),
    labels: many('labels'),
  };
}

function fieldsOf(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new StreamError(`${where}: expected a mapping, found ${kindOf(value)}`);
}

function textOf(value: unknown, where: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new StreamError(`${where}: expected text, found ${kindOf(value)}`);
}
