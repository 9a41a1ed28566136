/** Makes requests that are wrong in the ways that servers have been taken in by, and some that are right. */
export class HttpGrammar {
  #state: number;
  /** Made so far. */
  requests = 0;

  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }

  /** What one connection sends: one request or several, whole or cut off. */
  next(): Buffer {
    const count = this.below(8) === 0 ? 1 + this.below(40) : 1;
    this.requests += count;
    let bytes: Buffer = Buffer.concat(Array.from({ length: count }, () => this.#request()));
    for (let left = this.below(4) === 0 ? 1 + this.below(6) : 0; left > 0; left--) bytes = this.#spoil(bytes);
    return bytes;
  }

  /** 0 to limit - 1: Marsaglia's 32-bit xorshift. */
  below(limit: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return (state >>> 0) % limit;
  }

  #request(): Buffer {
    const end = this.#mostly('\r\n', EOLS);
    const lines = [`${this.#mostly('GET', METHODS)} ${this.#target()} ${this.#mostly('HTTP/1.1', VERSIONS)}`];
    lines.push(this.#mostly('Host: x', HOSTS));
    for (let left = this.below(3); left > 0; left--) lines.push(this.#header());
    const body = this.below(12) === 0 ? this.#of(BODIES) : '';
    return Buffer.from(lines.map((line) => line + end).join('') + end + body, 'latin1');
  }

  /** Of what is wrong, one at a time: otherwise nothing gets past the first check. */
  #mostly(right: string, wrong: readonly string[]): string {
    return this.below(12) === 0 ? this.#of(wrong) : right;
  }

  #target(): string {
    if (this.below(2) === 0) return this.#of(TARGETS);
    const count = 1 + this.below(5);
    return `/${Array.from({ length: count }, () => this.#of(SEGMENTS)).join('')}`;
  }

  #header(): string {
    switch (this.below(8)) {
      case 0:
        return `Range: bytes=${Array.from({ length: 1 + this.below(40) }, () => this.#range()).join(',')}`;
      case 1:
        return `X: ${'y'.repeat(this.below(4) === 0 ? 20_000 : 200)}`;
      case 2:
        return `Range: bytes=${this.#range()}`;
      default:
        return this.#of(HEADERS);
    }
  }

  #range(): string {
    return `${this.#of(NUMBERS)}-${this.#of(NUMBERS)}`;
  }

  #spoil(bytes: Buffer): Buffer {
    const at = this.below(bytes.length + 1);
    const kind = this.below(4);
    if (kind === 0) return bytes.subarray(0, at);
    if (kind === 1)
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(this.#of(TELLING), 'latin1'), bytes.subarray(at)]);
    const spoilt = Buffer.from(bytes);
    if (at < spoilt.length) spoilt[at] = kind === 2 ? this.below(256) : (spoilt[at] ?? 0) ^ (1 << this.below(8));
    return spoilt;
  }

  #of(list: readonly string[]): string {
    return list[this.below(list.length)] ?? '';
  }
}

const EOLS = ['\n', '\r', '\r\r\n', '\n\r', '\0\r\n'];
const METHODS = ['HEAD', 'HEAD', 'POST', 'OPTIONS', 'CONNECT', 'TRACE', 'PRI', 'get', 'GE\0T', ''];
const VERSIONS = ['HTTP/1.0', 'HTTP/1.0', 'HTTP/0.9', 'HTTP/2.0', 'HTTP/1.', 'http/1.1', ''];
const HOSTS = ['X: y', 'Host: x\r\nHost: y', 'Host:', 'Host : x', 'host: x@y:z', '\tHost: x'];
const TARGETS = [
  '/small',
  '/small',
  '/middle',
  '/large',
  '/debian/vmlinuz',
  '/boot.ipxe',
  '/ipxe/52-54-00-12-34-56',
  '/report',
  '/secret',
  '/link',
  '/up/secret',
  'http://x/small',
  'http://x/../secret',
  'https://x:99999/%2e%2e/secret',
  'x:80',
  '*',
  '?',
  '/small?../../secret',
  '/small#/../secret',
];
const SEGMENTS = [
  '/',
  '//',
  '..',
  '.',
  '/..',
  '%2e%2e',
  '%2E%2e/',
  '%2f',
  '%5c',
  '\\',
  '..\\',
  '%252e%252e',
  '%c0%ae%c0%ae/',
  '%00',
  '%0d%0a',
  '%',
  '%u002e',
  'secret',
  'small',
  'debian/',
  'up/',
  'etc/passwd',
  'proc/self/environ',
  '\xff',
  ';',
  '~',
];
const NUMBERS = ['', '0', '1', '5', '99', '100', '16384', '16385', '1048576', '99999999999999999999', '-1', '0x1', ' '];
const HEADERS = [
  'Accept: */*',
  'User-Agent: iPXE/1.21.1',
  'Content-Length: 0',
  'Content-Length: 5',
  'Content-Length: 5, 5',
  'Content-Length: 5\r\nContent-Length: 6',
  'Content-Length: -1',
  'Content-Length: 0x5',
  'Content-Length: 99999999999999999999',
  'Content-Length: 70000',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nContent-Length: 5',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding:\x0bchunked',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
  'Connection: close',
  'Connection: keep-alive',
  'Connection: upgrade\r\nUpgrade: websocket',
  'Connection: upgrade, http2-settings\r\nUpgrade: h2c',
  'Expect: 100-continue',
  'Expect: x',
  'If-None-Match: *',
  'If-None-Match: "x", W/"y"',
  'If-Match: "x"',
  'If-Modified-Since: Fri, 02 Jan 2099 03:04:05 GMT',
  'If-Unmodified-Since: Fri, 02 Jan 1999 03:04:05 GMT',
  'If-Range: "x"',
  'Range: bytes=0-',
  'Range: lines=0-1',
  'X: a\r\n b',
  'X: \0',
  'X: \x80\xff',
  'X\0: a',
  ': a',
  'X',
  ' X: a',
];
const BODIES = [
  'hello',
  '5\r\nhello\r\n0\r\n\r\n',
  '0\r\n\r\n',
  'ffffffffffffffff\r\n',
  '5;ext=1\nhello\n0\n\n',
  '-1\r\n\r\n',
  'GET /secret HTTP/1.1\r\nHost: x\r\n\r\n',
  '{"stage":"up"}',
];
const TELLING = ['\0', '\r', '\n', '\r\n\r\n', ' ', ':', '%', '\xff', 'HTTP/1.1'];
