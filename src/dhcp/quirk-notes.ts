import { explainQuirks, type QuirkNote } from '../boot/quirks-of.ts';
import { QUIRKS, type Quirk } from '../plan/quirk-table.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import type { Exchange } from './exchange.ts';
import type { DhcpReply } from './reply.ts';

const ROWS: readonly Quirk[] = QUIRKS;

/** The quirks of a client, and which of them would send an option 43 that this reply, for another rule, has not. */
export function quirkNotes(
  { client, packet, addresses, quirkSwitches }: Exchange,
  reply: DhcpReply | undefined,
): QuirkNote[] {
  const notes = explainQuirks(client.boot, quirkSwitches.of(client, packet, addresses.host(client)));
  const sent = reply?.options.find(({ code }) => code === OptionCode.vendorSpecific)?.value;
  return notes.map((note) => {
    const { vendorOptions } = ROWS.find(({ name }) => name === note.name)?.effects ?? {};
    if (!note.applies || vendorOptions === undefined) return note;
    if (sent && Buffer.from(sent).toString('hex') === vendorOptions.replaceAll(' ', '')) return note;
    const instead = sent ? 'another quirk goes before it' : 'it has no option 43';
    return { ...note, sentence: `${note.sentence}; not in this reply (${instead})` };
  });
}
