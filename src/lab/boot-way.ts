import type { Firmware } from './firmware.ts';
import type { LabLoader } from './loader.ts';

/** How a lab's machine comes up. */
export interface BootWay {
  readonly firmware: Firmware;
  readonly loader: LabLoader;
  /** Whether its kernel and initrd are an image that the rack imports, or files that it was given. Default: an image. */
  readonly content?: 'image' | 'files' | undefined;
}
