import * as z from 'zod';

import { readSettings, writeSetting, type Settings } from '../answer/settings.ts';
import { FieldFaults } from './field-faults.ts';
import { text } from './form-words.ts';
import { action, BOTH, settle, type Handler } from './handler.ts';
import { SETTINGS, type SettingWords } from './setting-words.ts';

const which = text('Which.', 100);
/** A list of networks is the longest of them. */
const LONGEST_VALUE = 10_000;

const maas: Handler = {
  name: 'MaasHandler',
  versions: BOTH,
  doc: 'Settings for all racks.',
  path: 'maas/',
  actions: [
    action({
      name: 'get_config',
      method: 'GET',
      op: 'get_config',
      doc: describe('Read a setting.'),
      parameters: z.object({ name: which }),
      reply: z.union([z.string(), z.number(), z.boolean()]),
      read: async (sql, { parameters: { name } }) => settingOf(name).read(await readSettings(sql)),
    }),
    action({
      name: 'set_config',
      method: 'POST',
      op: 'set_config',
      doc: describe('Write a setting.'),
      parameters: z.object({ name: which, value: text('What it is to be.', LONGEST_VALUE) }),
      change: async (sql, call) => {
        const { name, value } = call.parameters;
        const setting = settingOf(name);
        const before = await readSettings(sql);
        const changed = setting.write(value, before);
        for (const key of Object.keys(changed) as (keyof Settings)[]) {
          const after = changed[key];
          if (after !== undefined) await writeSetting(sql, key, after);
        }
        await settle(sql, call, {
          did: 'set',
          what: `setting ${name}`,
          before: setting.read(before),
          after: setting.read({ ...before, ...changed }),
          racks: 'all',
        });
        return 'OK';
      },
    }),
  ],
};

export const SETTING_HANDLERS: readonly Handler[] = [maas];

function settingOf(name: string): SettingWords {
  const setting = SETTINGS.get(name);
  if (!setting) throw new FieldFaults({ name: [`expected one of ${[...SETTINGS.keys()].join(', ')}`] });
  return setting;
}

function describe(doc: string): string {
  return [doc, '', ...Array.from(SETTINGS, ([name, words]) => `${name}: ${words.doc}`)].join('\n');
}
