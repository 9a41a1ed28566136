import type { Firmware } from './firmware.ts';
import type { LabLoader } from './loader.ts';

/** How a lab's machine comes up. */
export interface BootWay {
  readonly firmware: Firmware;
  readonly loader: LabLoader;
}
