import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { qemuArguments, type MachineSettings } from '../../src/lab/machine.ts';

const SETTINGS: MachineSettings = {
  directory: '/tmp/lab',
  tap: 'tap0',
  mac: '52:54:00:12:34:56',
  firmware: 'bios',
  accel: 'tcg',
  cores: 2,
  memoryMebibytes: 1024,
  diskBytes: 1,
};

function valuesOf(option: string, settings: MachineSettings): string[] {
  const words = qemuArguments(settings);
  return words.filter((_, index) => words[index - 1] === option);
}

describe('qemuArguments', () => {
  it('leaves a BIOS machine the iPXE in its card', () => {
    assert.ok(valuesOf('-device', SETTINGS).includes('virtio-net-pci,netdev=net0,mac=52:54:00:12:34:56,bootindex=0'));
    assert.ok(valuesOf('-drive', SETTINGS).every((drive) => !drive.startsWith('if=pflash')));
  });

  it('takes it from a UEFI machine, so that its own PXE boots from the card first', () => {
    const uefi = { ...SETTINGS, firmware: 'uefi' } as const;
    assert.ok(
      valuesOf('-device', uefi).includes('virtio-net-pci,netdev=net0,mac=52:54:00:12:34:56,bootindex=0,romfile='),
    );
  });

  it('leaves OVMF nothing but HTTP boot where that is asked for', () => {
    assert.deepEqual(valuesOf('-fw_cfg', { ...SETTINGS, firmware: 'uefi-http' }), [
      'name=opt/org.tianocore/IPv4PXESupport,string=n',
      'name=opt/org.tianocore/IPv6PXESupport,string=n',
    ]);
    assert.deepEqual(valuesOf('-fw_cfg', { ...SETTINGS, firmware: 'uefi' }), []);
  });

  it('gives a UEFI machine variables of its own and shares the firmware read-only', () => {
    assert.deepEqual(valuesOf('-drive', { ...SETTINGS, firmware: 'uefi' }).slice(0, 2), [
      'if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd',
      'if=pflash,unit=1,format=raw,file=/tmp/lab/vars.fd',
    ]);
  });

  it('lets OVMF write its variables from System Management Mode only where it Secure Boot is on', () => {
    const secure = { ...SETTINGS, firmware: 'secure-boot' } as const;
    assert.deepEqual(valuesOf('-machine', secure), ['q35,graphics=off,smm=on']);
    assert.deepEqual(valuesOf('-global', secure), ['driver=cfi.pflash01,property=secure,value=on']);
    assert.ok(valuesOf('-drive', secure)[0]?.endsWith('OVMF_CODE_4M.ms.fd'));
  });

  it('hangs the card on another cable when there is one', () => {
    const words = qemuArguments(SETTINGS, ['-netdev', 'stream,id=net0']);
    assert.deepEqual(
      words.filter((_, index) => words[index - 1] === '-netdev'),
      ['stream,id=net0'],
    );
  });

  it('uses the accelerator that was asked for, and runs each core of tcg in a thread of its own', () => {
    assert.deepEqual(valuesOf('-accel', SETTINGS), ['tcg,thread=multi']);
    assert.deepEqual(valuesOf('-accel', { ...SETTINGS, accel: 'kvm' }), ['kvm']);
  });
});
