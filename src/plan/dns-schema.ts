import * as z from 'zod';

import { TSIG_ALGORITHMS, type AclEntry, type NotifyTarget, type Upstream } from './plan.ts';
import { count, list, mapping, onOrOff } from './schema-shapes.ts';
import * as form from './text-forms.ts';

const DNS_PORT = 53;
/** RFC 7858 §3.1 */
const TLS_PORT = 853;
/** What a resolver is told of one name in one message, with room for its IPv6 addresses. */
const MOST_ADDRESSES = 100;
const PORT = 'a port number from 1 to 65535';

const port = z.int(PORT).min(1, PORT).max(65_535, PORT);
const keyName = form.zoneNameText.describe('The name of one of dns.keys.');

/** Gives an AclEntry. */
const who = z
  .union([
    form.clientText,
    mapping({
      address: form.addressOrCidrText.optional().describe('An address or a network. Absent: any.'),
      key: keyName.optional(),
    }).refine(({ address, key }) => address !== undefined || key !== undefined, 'an address, a key, or both'),
  ])
  .transform((written): AclEntry => {
    if ('network' in written) return { cidr: written };
    const { address, key } = written;
    return { ...(address && { cidr: address }), ...(key !== undefined && { key }) };
  });

const acl = (what: string) => list(who, `a list of ${what}: addresses, networks and keys`);

const target = z
  .union([
    form.targetText,
    mapping({
      address: form.ip4Text.describe('The address of a secondary.'),
      port: port.optional().describe('Default: 53.'),
      key: keyName.optional().describe('Signs what is sent: the name of one of dns.keys.'),
    }),
  ])
  .transform((written): NotifyTarget => {
    const key = 'key' in written ? written.key : undefined;
    return { address: written.address, port: written.port ?? DNS_PORT, ...(key !== undefined && { key }) };
  });

const upstream = z
  .union([
    form.targetText,
    mapping({
      address: form.ip4Text.describe('The address of a resolver.'),
      port: port.optional().describe('Default: 53, or 853 with tls.'),
      tls: form.serverNameText.optional().describe('It is asked over TLS, and must prove to be of this name.'),
      ca: form.fileText
        .optional()
        .describe('Certificates that may vouch for it, PEM. An absolute path. Default: those the system trusts.'),
    }),
  ])
  .transform((written): Upstream => {
    const tls = 'tls' in written ? written.tls : undefined;
    const standard = tls === undefined ? DNS_PORT : TLS_PORT;
    const ca = 'ca' in written ? written.ca : undefined;
    const trust = { ...(tls !== undefined && { tls }), ...(ca !== undefined && { ca }) };
    return { address: written.address, port: written.port ?? standard, ...trust };
  });

const upstreams = list(upstream, 'a list of resolvers').min(1, 'at least one resolver');

export const zoneSchema = mapping({
  name: form.zoneNameText.describe('The name of the zone.'),
  file: form.nearFileText
    .optional()
    .describe(
      'Master file (RFC 1035 §5), beside this file or by an absolute path. May be absent where `update` is given.',
    ),
  update: acl('who may change the zone').optional().describe('Who may change it by RFC 2136. Default: nobody.'),
  transfer: acl('who may fetch the zone').optional().describe('Who may fetch it whole. Default: dns.transfer.'),
  notify: list(target, 'a list of secondaries')
    .optional()
    .describe('Who is told of changes. Default: each single address in its `transfer`, or as in dns.'),
});

export const tsigKeySchema = mapping({
  name: form.zoneNameText.describe('The name of the key, the same on both sides.'),
  algorithm: z
    .enum(TSIG_ALGORITHMS, { error: `one of ${TSIG_ALGORITHMS.join(', ')}` })
    .prefault('hmac-sha256')
    .describe(`One of ${TSIG_ALGORITHMS.join(', ')}.`),
  'secret-file': form.nearFileText.describe(
    'The secret in base64, or what `tsig-keygen` prints; beside this file or by an absolute path.',
  ),
});

export const nameSchema = mapping({
  name: form.zoneNameText.describe('The whole name, in the domain of a subnet or one of dns.domains.'),
  addresses: list(form.ipText, 'a list of addresses')
    .min(1, 'at least one address')
    .max(MOST_ADDRESSES, `at most ${MOST_ADDRESSES} addresses`)
    .optional()
    .describe(
      'Its addresses, IPv4 and IPv6. One of a subnet, which no host or lease has, is called by this name, too.',
    ),
  alias: form.zoneNameText.optional().describe('Instead of addresses: the name it stands for (CNAME).'),
  ttl: form
    .durationBetween('0s', '365d', '30s, 5m or 1h')
    .prefault('5m')
    .describe('How long a resolver may keep it: 0s to 365d.'),
});

const routeSchema = mapping({
  domain: form.zoneNameText.describe('Names in it …'),
  forward: upstreams.describe('… are asked for here.'),
});

const cacheSchema = mapping({
  size: form.cacheSizeText.prefault('32MiB').describe('Memory for answers: 1MiB to 1GiB.'),
  stale: form.staleText
    .prefault('1d')
    .describe('How long after its end an answer may be given while no resolver answers (RFC 8767): 1m to 7d, or off.'),
  prefetch: z
    .boolean({ error: 'true or false' })
    .prefault(true)
    .describe('Fetch what is asked for anew shortly before it ends.'),
  'ttl-min': form.durationBetween('0s', '1h', '5s or 1m').prefault('0s').describe('Keep no answer for less: 0s to 1h.'),
  'ttl-max': form
    .durationBetween('1m', '7d', '1h or 12h')
    .prefault('1d')
    .describe('Keep no answer for longer: 1m to 7d.'),
});

const rateLimitSchema = mapping({
  responses: count(1, 100_000, 200).describe('Responses a second to one /24: 1 to 100000.'),
  window: form
    .durationBetween('1s', '1h', '15s or 1m')
    .prefault('15s')
    .describe('How long a flood is held against a network: 1s to 1h.'),
  slip: count(0, 10, 2).describe('Of those over the limit each so-maniest is answered "ask by TCP": 0 (none) to 10.'),
});

export const dnsSchema = mapping({
  zones: list(zoneSchema, 'a list of zones').prefault([]).describe('Zones from files, or that live of updates.'),
  domains: list(form.domainText, 'a list of domains')
    .prefault([])
    .describe('Domains this rack answers for, beside those of its subnets.'),
  names: list(nameSchema, 'a list of names')
    .prefault([])
    .describe('Names that no host has, in the domains of subnets and those of `domains`.'),
  keys: list(tsigKeySchema, 'a list of keys')
    .prefault([])
    .describe('Keys that sign what is said to secondaries and by updaters (TSIG).'),
  transfer: acl('who may fetch zones').prefault([]).describe('Who may fetch zones whole. Default: nobody.'),
  notify: list(target, 'a list of secondaries')
    .optional()
    .describe('Who is told of changes. Default: each single address in `transfer`.'),
  forward: upstreams.optional().describe('Resolvers for names outside our zones. Absent: those are refused.'),
  routes: list(routeSchema, 'a list of routes')
    .prefault([])
    .describe('Other resolvers for some domains; the longest that matches counts.'),
  allow: list(form.addressOrCidrText, 'a list of addresses and networks')
    .prefault([])
    .describe("Who may have names forwarded beside the rack's own subnets."),
  cache: cacheSchema.prefault({}).describe('Answers of resolvers that are kept.'),
  'rate-limit': z
    .union([rateLimitSchema, z.literal('off', { error: 'off, or a mapping with responses, window, slip' })])
    .prefault({})
    .describe('How many responses one network outside our subnets gets; or off.'),
  threads: count(1, 16, 1).describe('Threads that answer by UDP; one does all else: 1 to 16.'),
  nsid: form.nsidText.optional().describe('What this server calls itself (RFC 5001). Default: rack.name.'),
  'query-log': onOrOff().prefault('off').describe('on: each question is told as an event.'),
});
