import type { Account, FileAccount, ReplyAccount } from '../dhcp/account.ts';
import { lookAtFile, type LookedAt } from './look-at-file.ts';

/** "reply     " */
const LABEL = 10;

/** An account as lines to read: first what it comes to, then each step and why it was taken. */
export function* describeAccount(
  account: Account,
  { mac, notes }: { readonly mac: string; readonly notes: readonly string[] },
): Generator<string> {
  for (const note of notes) yield `NOTE ${note}`;
  yield `${mac}, ${account.asked ?? 'its message'}: ${account.answer}`;
  yield* describeSteps(account);
  if (account.reply) yield* describeReply(account.reply);
  for (const file of account.files ?? []) yield* line('file', describeFile(file));
  if (account.script) {
    yield* line('script', account.script.url);
    for (const text of account.script.text.trimEnd().split('\n')) yield `  ${text}`;
  }
}

function* describeSteps(account: Account): Generator<string> {
  const { subnet, machine, classes, address, name, dns, boot, quirks = [], bootPlan } = account;
  if (subnet) yield* line('subnet', `${subnet.cidr}: ${subnet.why}`);
  if (machine) yield* line('machine', `${machine.why}; its leases go by ${machine.lease}`);
  if (classes) yield* line('classes', classes.length === 0 ? 'none' : classes.join(', '));
  if (address) yield* line('address', `${address.address}: ${address.why}`);
  if (name) yield* line('name', `${name.name ?? 'none'}: ${name.why}`);
  if (dns && address)
    yield* line('dns', `${dns.name} A ${address.address}, ${dns.reverse} PTR ${dns.name}, while it has the lease`);
  if (boot)
    yield* line(
      'boot',
      `${boot.server === undefined ? 'nothing' : `${boot.file ?? 'files of its own'} from ${boot.server}`}: ${boot.why}`,
    );
  for (const { name: quirk, sentence } of quirks) yield* line('quirk', `${quirk}: ${sentence}`);
  if (bootPlan) yield* line('boot plan', `${bootPlan.target}: ${bootPlan.why}`);
}

function* describeReply({ to, port, why, options, leftOut }: ReplyAccount): Generator<string> {
  yield* line('reply', `to ${to}, port ${port}: ${why}`);
  const names = Math.max(...options.map(({ name }) => name.length));
  const values = Math.min(40, Math.max(...options.map(({ value }) => value.length)));
  for (const { code, name, value, from } of options) {
    yield `  ${String(code).padStart(3)} ${name.padEnd(names)}  ${value.padEnd(values)}  ${from}`;
  }
  if (leftOut.length > 0) yield `  no room for ${leftOut.join(', ')}`;
}

/** What TFTP and HTTP say to it. */
function describeFile({ path, as, is, note }: FileAccount): string {
  const found = describeLook(lookAtFile(is));
  return `${as === 'asked' ? '' : `${as} `}${path}: ${found}${note === undefined ? '' : `; ${note}`}`;
}

function describeLook(look: LookedAt): string {
  switch (look.kind) {
    case 'text':
      return `a script, ${look.bytes} bytes`;
    case 'file':
      return `${look.file}, ${look.bytes} bytes`;
    case 'missing':
      return `MISSING (TFTP error 1, HTTP 404): ${look.reason}`;
    case 'refused':
      return `REFUSED: ${look.reason}`;
  }
}

function* line(label: string, text: string): Generator<string> {
  yield `${label.padEnd(LABEL)}${text}`;
}
