import { installLoaders } from './install-loaders.ts';
import { loaderDirectories, loaderInventory, type LoaderLine } from './loader-inventory.ts';

interface LoadersOptions {
  readonly config: string;
  readonly json: boolean;
}

/** `rackboot loaders`: which loaders are there, for which firmware, and where. */
export function loaders({ config, json }: LoadersOptions, out: (line: string) => void): number {
  const inventory = loaderInventory(loaderDirectories(config));
  if (json) out(JSON.stringify(inventory));
  else for (const line of inventory.flatMap(describe)) out(line);
  return 0;
}

/** `rackboot loaders install`: takes them from Debian's packages. Exit code 1 when nothing could be had. */
export async function loadersInstall({ config }: { config: string }, out: (line: string) => void): Promise<number> {
  const { installed } = loaderDirectories(config);
  const { put, missing } = await installLoaders(installed, out);
  for (const { file, from } of put) out(`${file}  from ${from}`);
  for (const { package: name, reason } of missing) out(`${name}: not installed: ${reason}`);
  if (put.length > 0) out('a running rack takes them up when it reloads: systemctl reload rackboot');
  return put.length > 0 ? 0 : 1;
}

function describe({ firmware, word, files }: LoaderLine): string[] {
  const [loader, ...companions] = files;
  if (loader?.found === undefined) return [`${firmware} ${word}: none; Debian package ${loader?.package ?? 'none'}`];
  const lines = companions.map(({ path, found, package: name }) => {
    return `  ${path}  ${found ?? `none; Debian package ${name ?? 'none'}`}`;
  });
  return [`${firmware} ${word}: ${loader.path}  ${loader.found}`, ...lines];
}
