import { addressOrCidrText, cmdlineText, imageText, ip4Text, proxyText } from '../../plan/text-forms.ts';
import type { Settings } from '../answer/settings.ts';
import { FieldFaults } from './field-faults.ts';
import { readTruth } from './form-words.ts';

/** A year: as long as a rack takes. */
const LONGEST_TTL = 365 * 86_400;
const USUAL_OS = 'ubuntu';

/** How one setting is written and read, by the name that MAAS has for it. */
export interface SettingWords {
  readonly doc: string;
  /** What is stored when `text` is given for it; throws FieldFaults. */
  readonly write: (text: string, now: Settings) => Partial<Settings>;
  /** As it is shown. */
  readonly read: (now: Settings) => unknown;
}

export const SETTINGS: ReadonlyMap<string, SettingWords> = new Map<string, SettingWords>([
  [
    'upstream_dns',
    {
      doc: 'Resolvers that racks ask for other names: IPv4 addresses with blanks between.',
      write: (text) => ({ upstream_dns: wordsOf(text, (word) => ip4Text.safeParse(word).success, 'IPv4 addresses') }),
      read: (now) => now.upstream_dns.join(' '),
    },
  ],
  [
    'dns_trusted_acl',
    {
      doc: 'Who may have other names asked for, beside the subnets of a rack: IPv4 addresses and networks with blanks between.',
      write: (text) => ({
        dns_trusted_acl: wordsOf(
          text,
          (word) => addressOrCidrText.safeParse(word).success,
          'IPv4 addresses and networks',
        ),
      }),
      read: (now) => now.dns_trusted_acl.join(' '),
    },
  ],
  [
    'default_dns_ttl',
    {
      doc: 'Seconds for which resolvers may keep names of domains that say nothing of it; nothing: five minutes.',
      write: (text) => ({ default_dns_ttl: text === '' ? null : secondsOf(text) }),
      read: (now) => now.default_dns_ttl ?? '',
    },
  ],
  [
    'boot_image',
    {
      doc: 'What machines boot that nobody has said anything of: ubuntu/noble; nothing: their own disk. Beyond MAAS.',
      write: (text) => ({ boot_image: imageOf(text) }),
      read: (now) => now.boot_image,
    },
  ],
  [
    'commissioning_distro_series',
    {
      doc: 'The same, as MAAS calls it: noble, or centos/centos70; nothing: machines boot their own disk.',
      write: (text) => ({ boot_image: imageOf(text === '' || text.includes('/') ? text : `${USUAL_OS}/${text}`) }),
      read: (now) => now.boot_image.replace(`${USUAL_OS}/`, ''),
    },
  ],
  [
    'kernel_opts',
    {
      doc: 'The command line of the kernel of boot_image.',
      write: (text) => ({ kernel_opts: checked(cmdlineText.safeParse(text).success, text, 'one line of text') }),
      read: (now) => now.kernel_opts,
    },
  ],
  [
    'http_proxy',
    {
      doc: 'The proxy through which racks fetch images; nothing: none.',
      write: (text) => ({
        http_proxy: checked(
          text === '' || (proxyText.safeParse(text).success && URL.parse(text)?.username === ''),
          text,
          'a URL like http://proxy.example:3128 without name and password, as all operators can read it; or nothing',
        ),
      }),
      read: (now) => now.http_proxy,
    },
  ],
  [
    'boot_images_auto_import',
    {
      doc: 'Whether racks look for new images by themselves.',
      write: (text) => {
        const value = readTruth(text);
        if (value === undefined) throw misfit('true or false');
        return { boot_images_auto_import: value };
      },
      read: (now) => now.boot_images_auto_import,
    },
  ],
]);

function wordsOf(text: string, isGood: (word: string) => boolean, what: string): string[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  if (!words.every(isGood)) throw misfit(`${what} with blanks between`);
  return words;
}

function secondsOf(text: string): number {
  if (!/^\d{1,8}$/.test(text) || Number(text) > LONGEST_TTL)
    throw misfit(`a whole number from 0 to ${LONGEST_TTL}, or nothing`);
  return Number(text);
}

function imageOf(text: string): string {
  return checked(
    text === '' || imageText.safeParse(text).success,
    text,
    'an image like ubuntu/noble or ubuntu/noble/hwe-24.04, or nothing',
  );
}

function checked(isGood: boolean, text: string, expected: string): string {
  if (!isGood) throw misfit(expected);
  return text;
}

function misfit(expected: string): FieldFaults {
  return new FieldFaults({ value: [`expected ${expected}`] });
}
