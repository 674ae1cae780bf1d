import { expect, it } from 'vitest';
import { undoneSteps } from './undone-elsewhere.ts';

const off = { setting: 'enabled', from: true, to: false };
const few = { setting: 'limit:user u-1', from: null, to: 5 };

it('names what the target serves otherwise, and nothing that it serves or does not say', () => {
  expect(undoneSteps([off, few], { state: { enabled: true, 'limit:user u-1': 5 }, later: [] })).toEqual([
    off,
  ]);
  expect(undoneSteps([off, few], { state: { enabled: false }, later: [] })).toEqual([few]);
  expect(undoneSteps([off], { state: {}, later: [] })).toEqual([]);
});

it('leaves to a later mitigation what that one sets', () => {
  const state = { enabled: true, 'limit:user u-1': 9 };
  expect(undoneSteps([off, few], { state, later: [{ steps: [{ setting: 'enabled', to: true }] }] })).toEqual([
    few,
  ]);
});
