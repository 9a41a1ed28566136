import * as z from 'zod';

import { ConfigDocument } from '../plan/config-document.ts';
import { FaultBook } from '../plan/fault-book.ts';
import { formatFault, type Fault } from '../plan/fault.ts';
import { reportIssue } from '../plan/report-issue.ts';
import { mapping, oneOrMore } from '../plan/schema-shapes.ts';
import {
  addressOrCidrText,
  directoryText,
  endpointText,
  fileText,
  regionEventsText,
  regionText,
  socketText,
} from '../plan/text-forms.ts';
import { DatabaseAddress } from './database/database-address.ts';

const DATABASE = 'embedded, or a URL like postgres://rackboot@db.example/rackboot';
const MOST_ROWS = 'a number from 10000 to 1000000000';
const CONTROL_SOCKET = 'control.sock';

const mostRows = z.int(MOST_ROWS).min(10_000, MOST_ROWS).max(1_000_000_000, MOST_ROWS);

const regionConfigSchema = mapping({
  state: directoryText
    .prefault('/var/lib/rackboot-region')
    .describe('Directory of the embedded database and of the socket for commands. An absolute path.'),
  database: z.string({ error: DATABASE }).prefault('embedded').describe('embedded, or the URL of a PostgreSQL.'),
  'password-file': fileText.optional().describe('A file with the password for the PostgreSQL. An absolute path.'),
  listen: oneOrMore(endpointText, 'at least one address:port')
    .prefault(['0.0.0.0:5240'])
    .describe('Where racks and operators are served: address:port, or a list.'),
  proxies: oneOrMore(addressOrCidrText, 'an IPv4 address or network, or a list of them')
    .optional()
    .describe(
      'Balancers before this region, which tell by X-Forwarded-For and X-Forwarded-Proto who asks: addresses and networks. Of anybody else that is not believed.',
    ),
  url: regionText.optional().describe('What racks reach this region by, where that is to be told them.'),
  tls: mapping({
    certificate: fileText.describe('Certificate and chain, PEM. An absolute path.'),
    key: fileText.describe('Its private key, PEM without a passphrase. An absolute path.'),
  })
    .optional()
    .describe('Absent: what is said between racks and region can be read on the way.'),
  images: directoryText
    .optional()
    .describe('A simplestreams mirror that racks import from before any other source. An absolute path.'),
  events: mapping({
    age: regionEventsText
      .prefault('90d')
      .describe('What is older is forgotten: 1d to 3650d; so is a machine that nobody saw since.'),
    most: mostRows.prefault(10_000_000).describe('So many are kept; the oldest make room.'),
  })
    .prefault({})
    .describe('What is kept of what racks tell.'),
  audit: mapping({
    age: regionEventsText.prefault('730d').describe('What is older is forgotten: 1d to 3650d.'),
    most: mostRows.prefault(1_000_000).describe('So many are kept; the oldest make room.'),
  })
    .prefault({})
    .describe('What is kept of who changed what.'),
  log: mapping({
    level: z.enum(['debug', 'info', 'warn', 'error'], { error: 'one of debug, info, warn, error' }).prefault('info'),
  }).prefault({}),
});

type Draft = z.output<typeof regionConfigSchema>;

/** How a region is run. */
export interface RegionConfig extends Omit<Draft, 'database' | 'password-file' | 'images' | 'url'> {
  readonly database: 'embedded' | DatabaseAddress;
  /** The socket for commands. */
  readonly control: string;
  /** `url`: of the mirror, as racks reach it. */
  readonly images?: { readonly directory: string; readonly url: string };
}

/** Sections of the file that the command line has instead. */
export type RegionFlags = Partial<z.input<typeof regionConfigSchema>>;

/** The command line, as faults call it. */
const FLAGS = 'the command line';

/**
 * Reads the file of a region; gives what is wrong with it, a line each. An empty text is all defaults; whatever `flags` has goes before
 * what the file says.
 */
export function readRegionConfig(
  text: string,
  file: string,
  flags: RegionFlags = {},
): RegionConfig | { readonly faults: readonly string[] } {
  const book = new FaultBook(file, new ConfigDocument(text));
  const flagBook = new FaultBook(FLAGS, new ConfigDocument(JSON.stringify(flags)));
  const bookOf = (key: unknown): FaultBook => (typeof key === 'string' && Object.hasOwn(flags, key) ? flagBook : book);
  for (const fault of book.document.faults)
    book.report(fault.path, fault.expected, { found: fault.found, at: fault.position });
  const { value } = book.document;
  const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value);
  const result = regionConfigSchema.safeParse(isMapping ? { ...value, ...flags } : value);
  for (const issue of result.error?.issues ?? []) reportIssue(bookOf(issue.path[0]), issue, [], regionConfigSchema);
  const config = result.data && finish(result.data, bookOf);
  const faults = [...book.list(), ...flagBook.list().map(withoutPlace)].map(formatFault);
  return config === undefined || faults.length > 0 ? { faults } : config;
}

function finish(draft: Draft, bookOf: (key: string) => FaultBook): RegionConfig | undefined {
  const { database: where, 'password-file': passwordFile, images: directory, url, ...rest } = draft;
  const database = readDatabase(bookOf('database'), where, passwordFile);
  if (database === 'embedded' && passwordFile !== undefined) {
    bookOf('password-file').report(['password-file'], 'a database that is none embedded beside it', { at: 'key' });
  }
  const control = `${draft.state}/${CONTROL_SOCKET}`;
  const fit = socketText.safeParse(control);
  if (!fit.success) bookOf('state').report(['state'], `a shorter path, as ${CONTROL_SOCKET} in it must be reached`);
  if (directory !== undefined && url === undefined) {
    bookOf('images').report(['images'], '`url` beside it, as racks are to be told where they are', { at: 'key' });
  }
  if (database === undefined) return undefined;
  return {
    ...rest,
    database,
    control,
    ...(directory !== undefined && url !== undefined && { images: { directory, url } }),
  };
}

/** What stands there is not repeated: there may be a password in it. */
function readDatabase(book: FaultBook, text: string, passwordFile?: string): 'embedded' | DatabaseAddress | undefined {
  if (text === 'embedded') return text;
  const url = URL.parse(text);
  if (url === null || !/^postgres(?:ql)?:\/\//.test(text) || url.pathname.length < 2) {
    const found = url === null ? 'another word' : `a URL with ${url.protocol}`;
    book.report(['database'], DATABASE, { found });
    return undefined;
  }
  if (passwordFile !== undefined && (url.password !== '' || url.searchParams.has('password'))) {
    book.report(['database'], 'no password, as there is `password-file`', { found: 'one' });
  }
  return new DatabaseAddress(url, passwordFile);
}

/** Nobody sees a text of it. */
function withoutPlace(fault: Fault): Fault {
  return { ...fault, line: 0, column: 0 };
}
