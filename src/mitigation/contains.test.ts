import { expect, test } from 'vitest';
import { contains } from './contains.ts';

test.each([
  ['enabled', true, false, 'one', true],
  ['fallback', 'none', 'notice', 'one', true],
  ['blocked:dosage', false, true, 'one', true],
  ['limit:user u-7', null, 5, 'one', true],
  ['limit:user u-7', 5, 1000, 'one', false],
  ['token-cap', 200, 400, 'one', false],
  ['disclaimer', null, 'Ask a doctor', 'one', false],
  ['split:mini', 50, 0, 'one', true],
  ['split:mini', 0, 10, 'two', false],
  ['split:mini', 0, 100, 'two', true],
  ['prompt:answer', 'v14', 'v13', 'one', true],
  ['prompt:answer', 'v14', 'v15', 'two', false],
] as const)('%s from %s to %s contains, or does not', (...row) => {
  const [setting, from, to, approval, expected] = row;
  const plan = { steps: [{ setting, from, to }], shift: null, approval };
  expect(contains({ ...plan, wish: { kind: 'named', undoes: null } })).toBe(expected);
  expect(contains({ ...plan, wish: { kind: 'undo', undoes: 1 } })).toBe(false);
});
