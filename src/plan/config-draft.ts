import type * as z from 'zod';
import type { FaultBook } from './fault-book.ts';
import { dnsSchema, nameSchema, tsigKeySchema, zoneSchema } from './dns-schema.ts';
import type { ExitMethod } from './plan.ts';
import { reportIssue } from './report-issue.ts';
import {
  adminSchema,
  bootSchema,
  classSchema,
  configSchema,
  entrySchema,
  hostSchema,
  httpSchema,
  imagesSchema,
  loadersSchema,
  logSchema,
  rackSchema,
  regionSchema,
  sourceSchema,
  subnetSchema,
  tftpSchema,
  timelineSchema,
} from './schema.ts';
import { domainText } from './text-forms.ts';

/** What could be read of a mapping: a field is undefined when it is absent or has a fault. */
type Fields<S> =
  S extends z.ZodObject<infer Shape> ? { readonly [K in keyof Shape]?: z.output<Shape[K]> | undefined } : never;

export type SubnetDraft = Fields<typeof subnetSchema>;
export type ClassDraft = Fields<typeof classSchema>;
export type HostDraft = Fields<typeof hostSchema>;
export type EntryDraft = Fields<typeof entrySchema>;
export type SourceDraft = Fields<typeof sourceSchema>;

export type ImagesDraft = Omit<Fields<typeof imagesSchema>, 'sources'> & { readonly sources: readonly SourceDraft[] };

/** The part of a layer that is about DHCP options; values are not looked at yet. */
export type OptionsDraft = Pick<SubnetDraft, 'options' | 'always'>;

export interface BootDraft {
  readonly default?: string | undefined;
  readonly files?: string | undefined;
  readonly loop?: z.output<typeof bootSchema.shape.loop> | undefined;
  readonly exit?: ExitMethod | undefined;
  readonly entries: Readonly<Record<string, EntryDraft>>;
  readonly loaders: Fields<typeof loadersSchema>;
}

export type ZoneDraft = Fields<typeof zoneSchema>;
export type TsigKeyDraft = Fields<typeof tsigKeySchema>;
export type NameDraft = Fields<typeof nameSchema>;

/** As many zones, domains, names and keys as in the file, in its order. */
export interface DnsDraft extends Omit<Fields<typeof dnsSchema>, 'zones' | 'domains' | 'names' | 'keys'> {
  readonly zones: readonly ZoneDraft[];
  readonly domains: readonly (string | undefined)[];
  readonly names: readonly NameDraft[];
  readonly keys: readonly TsigKeyDraft[];
}

/** The file with every value checked by itself; the good part of a bad file, so that the cross checks can go on. */
export interface ConfigDraft {
  readonly rack: Fields<typeof rackSchema>;
  /** As many as in the file, in its order; so are the hosts. */
  readonly subnets: readonly SubnetDraft[];
  readonly hosts: readonly HostDraft[];
  readonly options?: OptionsDraft['options'];
  readonly always?: OptionsDraft['always'];
  readonly classes: readonly ClassDraft[];
  readonly boot: BootDraft;
  readonly images: ImagesDraft;
  readonly http: Fields<typeof httpSchema>;
  readonly tftp: Fields<typeof tftpSchema>;
  readonly dns: DnsDraft;
  readonly admin: Fields<typeof adminSchema>;
  readonly log: Fields<typeof logSchema>;
  readonly timeline: Fields<typeof timelineSchema>;
  readonly region?: Fields<typeof regionSchema> | undefined;
  readonly watch?: z.output<typeof configSchema.shape.watch> | undefined;
}

/** Checks every value of the document; the faults go into the book. */
export function readDraft(book: FaultBook): ConfigDraft {
  const { document } = book;
  for (const { path, expected, found, position: at, scope } of document.faults)
    book.report(path, expected, { found, at, ...(scope && { scope }) });
  const whole = configSchema.safeParse(document.value);
  if (whole.success) return whole.data;
  for (const issue of whole.error.issues) reportIssue(book, issue, []);
  return salvage(document.value);
}

function salvage(value: unknown): ConfigDraft {
  const config = asMapping(value);
  const boot = asMapping(config['boot']);
  const images = asMapping(config['images']);
  return {
    rack: readFields(rackSchema, config['rack']),
    ...(config['region'] !== undefined && { region: readFields(regionSchema, config['region']) }),
    subnets: asList(config['subnets']).map((subnet) => readFields(subnetSchema, subnet)),
    hosts: asList(config['hosts']).map((host) => readFields(hostSchema, host)),
    ...readFields(configSchema.pick({ options: true, always: true }), config),
    classes: asList(config['classes']).map((each) => readFields(classSchema, each)),
    boot: {
      ...readFields(bootSchema.pick({ default: true, files: true, exit: true, loop: true }), boot),
      entries: readEntries(asMapping(boot['entries'])),
      loaders: readFields(loadersSchema, boot['loaders']),
    },
    images: {
      ...readFields(imagesSchema.omit({ sources: true }), images),
      sources: asList(images['sources']).map((source) => readFields(sourceSchema, source)),
    },
    http: readFields(httpSchema, config['http']),
    tftp: readFields(tftpSchema, config['tftp']),
    dns: salvageDns(asMapping(config['dns'])),
    admin: readFields(adminSchema, config['admin']),
    log: readFields(logSchema, config['log']),
    timeline: readFields(timelineSchema, config['timeline']),
    ...readFields(configSchema.pick({ watch: true }), config),
  };
}

function salvageDns(dns: Readonly<Record<string, unknown>>): DnsDraft {
  const { zones, domains, names, keys, ...rest } = dns;
  return {
    ...readFields(dnsSchema.omit({ zones: true, domains: true, names: true, keys: true }), rest),
    zones: asList(zones).map((zone) => readFields(zoneSchema, zone)),
    domains: asList(domains).map((domain) => domainText.safeParse(domain).data),
    names: asList(names).map((name) => readFields(nameSchema, name)),
    keys: asList(keys).map((key) => readFields(tsigKeySchema, key)),
  };
}

function readEntries(entries: Readonly<Record<string, unknown>>): Record<string, EntryDraft> {
  return Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, readFields(entrySchema, entry)]));
}

function readFields<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  value: unknown,
): Fields<z.ZodObject<Shape>> {
  const whole = schema.safeParse(value);
  if (whole.success) return whole.data as Fields<z.ZodObject<Shape>>;
  const source = asMapping(value);
  const fields = Object.entries<z.core.$ZodType>(schema.shape).map(([key, field]) => {
    return [key, (field as z.ZodType).safeParse(source[key]).data];
  });
  return Object.fromEntries(fields) as Fields<z.ZodObject<Shape>>;
}

function asMapping(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
