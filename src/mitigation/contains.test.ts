import { expect, test } from 'vitest';
import { contains } from './contains.ts';

test.each([
  ['enabled', true, false, true],
  ['fallback', 'none', 'notice', true],
  ['blocked:dosage', false, true, true],
  ['limit:user u-7', null, 5, true],
  ['limit:user u-7', 5, 1000, false],
  ['token-cap', 200, 400, false],
  ['disclaimer', null, 'Ask a doctor', false],
  ['split:mini', 50, 0, true],
  ['split:mini', 0, 10, false],
  ['split:mini', 0, 100, true],
  ['prompt:answer', 'v14', 'v13', true],
  ['prompt:answer', 'v14', 'v15', true],
  ['model', 'gpt-a', 'gpt-b', true],
] as const)('%s from %s to %s contains, or does not', (...row) => {
  const [setting, from, to, expected] = row;
  const plan = { steps: [{ setting, from, to }] };
  expect(contains({ ...plan, wish: { kind: 'named', undoes: null } })).toBe(expected);
  expect(contains({ ...plan, wish: { kind: 'undo', undoes: 1 } })).toBe(false);
});
