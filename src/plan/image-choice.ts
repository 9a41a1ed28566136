import type { StoredImage } from './stored-image.ts';

type KernelWords = Pick<StoredImage, 'subarch' | 'subarches' | 'kflavor'>;

/**
 * The kernel for a subarch. `generic` is the one a release came with: streams since 2016 call it ga-24.04 and say in `subarches`
 * of every kernel, newer ones included, that it will do for generic.
 */
export function kernelFor<T extends KernelWords>(wanted: string, kernels: readonly T[]): T | undefined {
  const own = kernels.find(({ subarch }) => subarch === wanted);
  const first = wanted === 'generic' ? kernels.find((each) => isGeneralAvailability(each)) : undefined;
  return own ?? first ?? kernels.find(({ subarches }) => subarches.includes(wanted));
}

function isGeneralAvailability({ subarch, kflavor }: KernelWords): boolean {
  return kflavor === 'generic' && /^ga-[\d.]+$/.test(subarch);
}

/** Labels of what is meant to be used; others, like `candidate`, come after them. */
const SOUND_LABELS: ReadonlySet<string> = new Set(['stable', 'release', 'added']);

/** In the order of preference: what is meant to be used before what is to be tried, and the newest version first. */
export function byPreference(a: StoredImage, b: StoredImage): number {
  const soundness = Number(SOUND_LABELS.has(b.label)) - Number(SOUND_LABELS.has(a.label));
  return soundness === 0 ? compareVersions(b.version, a.version) : soundness;
}

/** Dates with a number behind them, 20240418.1: by number where both have one, else as text. Negative when `a` is older. */
export function compareVersions(a: string, b: string): number {
  const left = a.split('.');
  const right = b.split('.');
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = comparePart(left[i] ?? '', right[i] ?? '');
    if (difference !== 0) return difference;
  }
  return 0;
}

function comparePart(a: string, b: string): number {
  const isNumeric = /^\d{1,15}$/.test(a) && /^\d{1,15}$/.test(b);
  if (isNumeric && Number(a) !== Number(b)) return Number(a) - Number(b);
  if (isNumeric || a === b) return 0;
  return a < b ? -1 : 1;
}
