import { expect, test } from 'vitest';
import { isAllowedAddress } from './address-guard.ts';

test.each([
  '169.254.169.254',
  'fd00:ec2::254',
  'fd00:0ec2:0:0:0:0:0:254',
  '100.100.100.200',
  '::ffff:100.100.100.200',
])('%s tells about the machine and is never asked', (address) =>
  expect([true, false].map((isPrivate) => isAllowedAddress(address, isPrivate))).toEqual([false, false]),
);

test.each(['10.0.0.1', 'fd00:ec2::255', '100.100.100.201', '127.0.0.1'])(
  '%s is asked where private addresses are allowed',
  (address) =>
    expect([true, false].map((isPrivate) => isAllowedAddress(address, isPrivate))).toEqual([true, false]),
);
