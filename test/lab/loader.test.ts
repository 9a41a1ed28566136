import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FIRMWARES } from '../../src/lab/firmware.ts';
import { loaderFiles, loadersFor } from '../../src/lab/loader.ts';
import { DEBIAN_FILES } from '../../src/plan/loader-table.ts';

describe('the loaders of the lab', () => {
  for (const firmware of FIRMWARES) {
    it(`are known to rackboot for ${firmware}, and each of their files to be in a Debian package`, () => {
      const loaders = loadersFor(firmware);
      assert.ok(loaders.length > 0);
      for (const loader of loaders.filter((word) => word !== 'none')) {
        const names = loaderFiles(firmware, loader);
        assert.ok(names.length > 0, loader);
        for (const name of names) assert.ok(DEBIAN_FILES.has(name), name);
      }
    });
  }

  it('come with what they ask for by themselves', () => {
    assert.deepEqual(loaderFiles('secure-boot', 'shim'), ['shimx64.efi', 'grubx64.efi']);
    assert.ok(loaderFiles('bios-pxe', 'lpxelinux').includes('ldlinux.c32'));
    assert.deepEqual(loaderFiles('bios', 'none'), []);
  });
});
