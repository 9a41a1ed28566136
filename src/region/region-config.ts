import * as z from 'zod';

import { ConfigDocument } from '../plan/config-document.ts';
import { FaultBook } from '../plan/fault-book.ts';
import { formatFault } from '../plan/fault.ts';
import { mapping, oneOrMore } from '../plan/schema-shapes.ts';
import { directoryText, endpointText, fileText } from '../plan/text-forms.ts';

const DATABASE = 'embedded, or a URL like postgres://rackboot@db.example/rackboot';

const regionConfigSchema = mapping({
  state: directoryText.prefault('/var/lib/rackboot-region'),
  database: z
    .string({ error: DATABASE })
    .regex(/^(?:embedded|postgres(?:ql)?:\/\/.*)$/, DATABASE)
    .prefault('embedded'),
  listen: oneOrMore(endpointText, 'at least one address:port').prefault(['0.0.0.0:5240']),
  tls: mapping({ certificate: fileText, key: fileText }).optional(),
  log: mapping({
    level: z.enum(['debug', 'info', 'warn', 'error'], { error: 'one of debug, info, warn, error' }).prefault('info'),
  }).prefault({}),
});

/** How a region is run. */
export type RegionConfig = z.output<typeof regionConfigSchema>;

/** Reads the file of a region; gives what is wrong with it, a line each. An empty text is all defaults. */
export function readRegionConfig(text: string, file: string): RegionConfig | { readonly faults: readonly string[] } {
  const document = new ConfigDocument(text);
  const book = new FaultBook(file, document);
  for (const fault of document.faults)
    book.report(fault.path, fault.expected, { found: fault.found, at: fault.position });
  const result = regionConfigSchema.safeParse(document.value);
  for (const issue of result.error?.issues ?? []) {
    const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) book.report([...path, key], issue.message, { at: 'key', found: key });
    } else book.report(path, issue.code === 'invalid_union' ? messageOf(issue.errors) : issue.message);
  }
  const faults = book.list().map(formatFault);
  return result.data === undefined || faults.length > 0 ? { faults } : result.data;
}

/** Of "one, or a list" what the first of them was to be. */
function messageOf(errors: readonly (readonly { readonly message: string }[])[]): string {
  return errors.flat()[0]?.message ?? 'something else';
}
