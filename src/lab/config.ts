import { LAB_IMAGE, type LabMirror } from './mirror.ts';

/** Who is who in the lab's network. */
export const LAB = {
  cidr: '192.168.127.0/24',
  /** The rack's own address, with the prefix for the bridge. */
  rack: '192.168.127.1',
  prefix: 24,
  dynamic: '192.168.127.121-192.168.127.140',
  static: '192.168.127.221-192.168.127.240',
  domain: 'lab.test',
  machine: { name: 'node1', mac: '52:54:00:12:34:56', address: '192.168.127.221' },
  httpPort: 5248,
} as const;

/** Paths under `boot.files`, and so in the URLs they are served under. */
export const KERNEL_PATH = 'lab/vmlinuz';
export const INITRD_PATH = 'lab/initrd.gz';

/** Absolute paths on this computer, and the interface that the rack serves. */
export interface LabPlaces {
  readonly state: string;
  readonly control: string;
  readonly files: string;
  readonly interface: string;
  /** What the machine's kernel is told besides where the rack is. */
  readonly kernelWords: string;
  /** Where the image comes from that the machine boots; absent: it boots the files under `files`. */
  readonly mirror?: LabMirror | undefined;
  /** `boot.loaders`. */
  readonly loaders: Readonly<Record<string, string>>;
}

/** The text of the lab's `rackboot.yaml`: one subnet, one host, one boot entry. Paths are quoted as JSON, which is YAML. */
export function labConfig(places: LabPlaces): string {
  const { machine } = LAB;
  const { mirror } = places;
  const content =
    mirror === undefined
      ? `kernel: ${KERNEL_PATH}\n      initrd: [${INITRD_PATH}]`
      : `image: ${LAB_IMAGE.os}/${LAB_IMAGE.release}`;
  return `rack:
  name: lab-rack
  state: ${JSON.stringify(places.state)}
  control: ${JSON.stringify(places.control)}
subnets:
  - cidr: ${LAB.cidr}
    interface: ${places.interface}
    management: dhcp+dns
    dynamic: ${LAB.dynamic}
    static: ${LAB.static}
    domain: ${LAB.domain}
    lease: 1h
hosts:
  - name: ${machine.name}
    mac: "${machine.mac}"
    address: ${machine.address}
    boot: lab
boot:
  files: ${JSON.stringify(places.files)}
  entries:
    lab:
      ${content}
      cmdline: ${places.kernelWords} rackboot=http://${LAB.rack}:${LAB.httpPort}
  loaders: ${JSON.stringify(places.loaders)}
${mirror === undefined ? '' : `images: { sources: [{ name: lab, url: ${JSON.stringify(mirror.url)}, keyring: ${JSON.stringify(mirror.keyring)} }] }\n`}http:
  port: ${LAB.httpPort}
`;
}
