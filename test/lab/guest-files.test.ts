import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { kernelParts } from '../../src/lab/guest-files.ts';

describe('kernelParts', () => {
  it('finds the kernel that the package of the newest kernel depends on', () => {
    const text = 'linux-image-cloud-amd64\n  Depends: linux-image-6.1.0-56-cloud-amd64\n';
    assert.deepEqual(kernelParts(text), ['linux-image-6.1.0-56-cloud-amd64']);
  });

  it('leaves out what is not a kernel', () => {
    const text =
      'linux-image-amd64\n  Depends: linux-base\n  Depends: linux-image-6.1.0-56-amd64\n  Suggests: linux-doc-6.1\n';
    assert.deepEqual(kernelParts(text), ['linux-image-6.1.0-56-amd64']);
  });

  it('finds nothing in the answer for a package that apt does not know', () => {
    assert.deepEqual(kernelParts(''), []);
  });
});
