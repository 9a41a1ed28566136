/** Where MAAS, and a region, have their API when nothing else is said. */
const USUAL = '/MAAS';
const NEWEST = '2.0';

/**
 * Of what an operator wrote: http://region.example:5240/MAAS/ is http://region.example:5240/MAAS/api/2.0/. A version that is there stays.
 * Undefined when it is no address of an API.
 */
export function apiAddress(text: string): string | undefined {
  const url = URL.parse(text);
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.hostname === '') return undefined;
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return undefined;
  const path = url.pathname.replace(/\/+$/, '');
  const [, before = path, version = NEWEST] = /^(.*)\/api(?:\/(\d{1,3}\.\d{1,3}))?$/.exec(path) ?? [];
  if (/\/\/|[{}]/.test(before)) return undefined;
  return `${url.origin}${before === '' ? USUAL : before}/api/${version}/`;
}

/** What is asked to see whether a key is good: the clients of MAAS ask the same. */
export function proofOf(address: string): string {
  return address.endsWith('/1.0/') ? 'nodegroups/?op=list' : 'users/?op=whoami';
}
