import type { Field } from './api-request.ts';

export interface EncodedForm {
  /** With the boundary. */
  readonly type: string;
  readonly body: Buffer;
}

/** As multipart/form-data (RFC 7578), which all servers of this API read; a file is a file there. */
export async function encodeForm(fields: readonly Field[]): Promise<EncodedForm> {
  const form = new FormData();
  for (const [name, value] of fields) {
    if (typeof value === 'string') form.append(name, value);
    else form.append(name, new Blob([value.bytes], { type: 'application/octet-stream' }), value.fileName);
  }
  const encoded = new Response(form);
  return { type: encoded.headers.get('content-type') ?? '', body: Buffer.from(await encoded.arrayBuffer()) };
}
