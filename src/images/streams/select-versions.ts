import { kernelFor } from '../../plan/image-choice.ts';
import type { StreamVersion } from './read-products.ts';

/** What to import of a source; in each list `*` stands for all. */
export interface Selection {
  readonly os: string;
  readonly release: string;
  readonly arches: readonly string[];
  readonly subarches: readonly string[];
  readonly labels: readonly string[];
}

/** One image, whatever its version: what several sources may have, and the first one gives. */
export function imageKey(of: Omit<Selection, 'arches' | 'subarches' | 'labels'> & Kernel): string {
  return [of.os, of.release, of.arch, of.subarch, of.kflavor, of.label].join('/');
}

interface Kernel {
  readonly arch: string;
  readonly subarch: string;
  readonly kflavor: string;
  readonly label: string;
}

export interface Selected {
  /** By image; of each the newest versions, newest first. */
  readonly images: ReadonlyMap<string, readonly StreamVersion[]>;
  /** Selections that nothing in the stream answers to. */
  readonly unmet: readonly Selection[];
}

/** What the selections take of a stream: of each image the `keep` newest versions. No selection at all takes everything. */
export function selectVersions(
  versions: readonly StreamVersion[],
  selections: readonly Selection[],
  keep: number,
): Selected {
  const images = new Map<string, StreamVersion[]>();
  const met = new Set<Selection>();
  const kernels = new KernelChoice(versions);
  for (const version of versions) {
    const by = selections.filter((selection) => takes(selection, version, kernels));
    if (by.length === 0 && selections.length > 0) continue;
    for (const selection of by) met.add(selection);
    const key = imageKey(version);
    const same = images.get(key) ?? [];
    // Of two products for one image, the first in the file
    if (same.length < keep && (same[0]?.product ?? version.product) === version.product) same.push(version);
    images.set(key, same);
  }
  return { images, unmet: selections.filter((selection) => !met.has(selection)) };
}

/** Only one kernel of a release answers to a subarch: its own, or else the first that says it will do for it. */
function takes(selection: Selection, version: StreamVersion, kernels: KernelChoice): boolean {
  if (!fits([selection.os], version.os) || !fits([selection.release], version.release)) return false;
  if (!fits(selection.arches, version.arch) || !fits(selection.labels, version.label)) return false;
  if (version.loaderType !== undefined || selection.subarches.includes('*')) return true;
  return selection.subarches.some((wanted) => kernels.subarchFor(wanted, version) === version.subarch);
}

function fits(wanted: readonly string[], word: string): boolean {
  return wanted.some((each) => each === '*' || each === word);
}

/** Which kernel of a platform a subarch stands for, looked for once. */
class KernelChoice {
  readonly #byPlatform: ReadonlyMap<string, readonly StreamVersion[]>;
  readonly #found = new Map<string, string | undefined>();

  constructor(versions: readonly StreamVersion[]) {
    this.#byPlatform = Map.groupBy(versions, platformOf);
  }

  subarchFor(wanted: string, version: StreamVersion): string | undefined {
    const platform = platformOf(version);
    const key = `${wanted}/${platform}`;
    if (!this.#found.has(key)) {
      this.#found.set(key, kernelFor(wanted, this.#byPlatform.get(platform) ?? [])?.subarch);
    }
    return this.#found.get(key);
  }
}

function platformOf({ os, release, arch, label }: StreamVersion): string {
  return [os, release, arch, label].join('/');
}
