import * as z from 'zod';

import { MOST_RECORDS } from './paths.ts';

/*
 * What a rack and its region say to one another, as JSON. Unknown keys are let pass and dropped, as the two may be of
 * different ages; what is known must be of its shape. Times are Unix milliseconds.
 */

const time = z.int().min(0).max(8_640_000_000_000_000);
const label = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'a name as DNS has them: a-z, 0-9 and -');
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 as 64 hexadecimal digits');
const words = z.string().max(2_000);
const number = z.int().min(1);
const address = z.ipv4();
const mac = z.string().regex(/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/, 'a MAC address like 52:54:00:12:34:56');
/** Any JSON object: whoever reads it checks what it needs of it. */
const object = z.record(z.string(), z.unknown());

/** POST enrol. The same token with the same `keyHash` is answered the same, so that a lost answer can be asked for again. */
export const enrolmentSchema = z.object({
  token: z.string().min(16).max(200),
  /** Of the key, which the rack has made and written down before it asks. */
  keyHash: sha256,
  name: label,
  version: z.string().max(100),
});
export const enrolledSchema = z.object({ rack: z.uuid() });

/** What a rack is to do once: numbers that only grow, over all kinds. */
export const ordersSchema = z.object({
  import: number.optional(),
  stopImport: number.optional(),
  scan: number.optional(),
  rotateKey: number.optional(),
});

/** GET plan. `config`: sections of the rack's own file, as `compilePlan` takes them. */
export const planAnswerSchema = z.object({ version: number, config: object, orders: ordersSchema });

/** Something that happened at a rack: an event of its timeline, or what became of a lease. */
export const recordSchema = z
  .looseObject({
    /** Of its stream: grows, with gaps. */
    number,
    at: time,
    kind: z.string().regex(/^[a-z][a-z-]*\.[a-z][a-z-]*$/, 'a kind like dhcp.ack'),
    mac: mac.optional(),
    address: address.optional(),
  })
  .describe('The rest is what `kind` has to say.');

/** POST events. */
export const eventBatchSchema = z.object({
  /** Of the rack's outbox: a new one begins at 1. */
  stream: z.uuid(),
  sentAt: time,
  records: z.array(recordSchema).max(MOST_RECORDS),
  /** So many before the first of these were given up, as the region was gone for too long; the last of them was of `before`. */
  forgotten: z.object({ count: number, before: time }).optional(),
});
/** All of the stream up to this number is on disk. */
export const keptSchema = z.object({ kept: z.int().min(0) });

const serviceSchema = z.object({
  name: z.string().max(40),
  state: z.string().max(40),
  restarts: z.int().min(0),
});

/** An image that is here. */
const imageSchema = z.object({
  /** os/release/arch/subarch/label */
  name: z.string().max(400),
  version: z.string().max(100),
  state: z.string().max(40),
  bytes: z.int().min(0),
});

const interfaceSchema = z.object({
  name: z.string().min(1).max(15),
  address,
  prefix: z.int().min(0).max(32),
  mac: mac.optional(),
});

/** POST status, each 30 seconds and when a plan was taken or refused. */
export const statusReportSchema = z.object({
  /** The rack's clock. */
  at: time,
  version: z.string().max(100),
  startedAt: time,
  services: z.array(serviceSchema).max(100),
  plan: z.object({
    /** That of the region's answer in force; absent: none is. */
    version: number.optional(),
    /** The newest answer, where it can't be served, and why. */
    refused: z.object({ version: number, faults: z.array(words).max(100) }).optional(),
    /** Where file and region differ, and the file's is used. */
    conflicts: z.array(words).max(100),
  }),
  interfaces: z.array(interfaceSchema).max(1_000),
  images: z.array(imageSchema).max(10_000),
  isImporting: z.boolean(),
  leases: z.int().min(0),
  notices: z.array(words).max(100),
  outbox: z.object({ waiting: z.int().min(0), oldest: time.optional() }),
  /** The rack's own file; `config`, without anything secret, when the region asks for it. */
  file: z.object({ hash: sha256, config: object.optional() }).optional(),
});
/** `at`: the region's clock. */
export const statusAnswerSchema = z.object({ at: time, wants: z.array(z.enum(['file'])).optional() });

/** POST key: the one used until now holds until this one is used for the first time. */
export const newKeySchema = z.object({ keyHash: sha256 });

/** Any refusal. */
export const refusalSchema = z.object({ error: words });

export type Enrolment = z.output<typeof enrolmentSchema>;
export type Orders = z.output<typeof ordersSchema>;
export type PlanAnswer = z.output<typeof planAnswerSchema>;
export type EventBatch = z.output<typeof eventBatchSchema>;
export type StatusReport = z.output<typeof statusReportSchema>;
export type StatusAnswer = z.output<typeof statusAnswerSchema>;
