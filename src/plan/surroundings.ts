import type { StoredImage } from './stored-image.ts';
import type { Ip4 } from '../addr/ip4.ts';

/** What the compiler must know of the machine it compiles for; given in, so that compiling stays pure. */
export interface Surroundings {
  readonly hostName: string;
  /** Where relative paths in the file begin. Absent: where the file is. */
  readonly directory?: string;
  /** One row for each IPv4 address; an interface with two addresses has two rows. */
  readonly interfaces: readonly InterfaceAddress[];
  /**
   * Whether a subnet on an interface that is not there is only out of service until it is. So it is at a start, and for
   * an interface the running rack knows; a new name is rather a typing error, and the Plan in force better than none.
   */
  excuses(interfaceName: string): boolean;
  /** Is this a regular file that can be read? */
  fileExists(path: string): boolean;
  /** Bytes of such a file; undefined where there is none. Absent: files are as long as they should be. */
  fileSize?(path: string): number | undefined;
  /** The first 4 KiB of such a file, or all of it; undefined when they can't be read. Absent: files are taken for what they should be. */
  firstBytes?(path: string): Uint8Array | undefined;
  directoryExists(path: string): boolean;
  /** The images that are here, in this state directory. Absent: none are. */
  images?(state: string): readonly StoredImage[];
  /** What is wrong with a certificate and its key as files in PEM, as a clause; undefined when they can be served. Absent: nobody can look. */
  keyPairFault?(certificate: string, key: string): string | undefined;
}

export interface InterfaceAddress {
  readonly name: string;
  readonly address: Ip4;
  readonly prefix: number;
}
