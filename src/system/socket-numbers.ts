/* What Linux on x64 and arm64 calls these (socket.h); options of a single use stand beside it. */
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_PACKET = 17;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
/** Closed in programs that are started, and never waited for. */
export const SOCK_CLOEXEC_NONBLOCK = 0o2000000 | 0o4000;
export const SOL_SOCKET = 1;
export const IPPROTO_TCP = 6;
export const MSG_DONTWAIT = 0x40;
/** Size of struct sockaddr_in. */
export const SOCKADDR_IN = 16;
/** Size of struct sockaddr_ll: family, protocol (network order), ifindex, hatype, pkttype, halen, addr[8]. */
export const SOCKADDR_LL = 20;
