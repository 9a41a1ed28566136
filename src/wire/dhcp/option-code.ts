/** DHCP option numbers this rack reads or writes (IANA "BOOTP Vendor Extensions and DHCP Options"), by their RFC's name. */
export const OptionCode = {
  /** RFC 2132 §3.1: filler of one byte, no length. */
  pad: 0,
  subnetMask: 1,
  router: 3,
  dns: 6,
  hostName: 12,
  domainName: 15,
  rootPath: 17,
  ipForwarding: 19,
  mtu: 26,
  broadcast: 28,
  ntp: 42,
  vendorSpecific: 43,
  requestedAddress: 50,
  leaseTime: 51,
  overload: 52,
  messageType: 53,
  serverId: 54,
  parameterList: 55,
  message: 56,
  maxMessageSize: 57,
  renewalTime: 58,
  rebindingTime: 59,
  vendorClass: 60,
  clientId: 61,
  tftpServerName: 66,
  bootFileName: 67,
  /** RFC 3004. */
  userClass: 77,
  /** RFC 4039. */
  rapidCommit: 80,
  /** RFC 4702. */
  clientFqdn: 81,
  /** RFC 3046. */
  relayAgent: 82,
  /** RFC 4578 §2.1. */
  clientArch: 93,
  /** RFC 4578 §2.2. */
  clientNdi: 94,
  /** RFC 4578 §2.3. */
  clientMachineId: 97,
  /** RFC 3011. */
  subnetSelection: 118,
  /** RFC 3397. */
  domainSearch: 119,
  /** RFC 3442. */
  classlessRoutes: 121,
  /** RFC 5859. */
  tftpServerAddress: 150,
  /** iPXE's own encapsulated options: presence alone says the client is iPXE, or a firmware made from it. */
  ipxe: 175,
  /** RFC 5071: the four bytes every PXELINUX option sits beside. */
  pxelinuxMagic: 208,
  pxelinuxConfigFile: 209,
  pxelinuxPathPrefix: 210,
  /** Microsoft's number for option 121. */
  msClasslessRoutes: 249,
  /** RFC 2132 §3.2: one byte, no length. */
  end: 255,
} as const;
