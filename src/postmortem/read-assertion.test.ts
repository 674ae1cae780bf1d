import { describe, expect, it } from 'vitest';
import { readAssertion } from './read-assertion.ts';

describe('readAssertion', () => {
  it.each([
    ['contains 14 days', { type: 'contains', value: '14 days' }],
    ['Not-Contains “sorry”', { type: 'not-contains', value: 'sorry' }],
    ['regex ^\\[(Yes|No)\\]', { type: 'regex', value: '^\\[(Yes|No)\\]' }],
    ['max-length 400', { type: 'max-length', chars: 400 }],
    ['rubric Names the period', { type: 'llm-rubric', value: 'Names the period' }],
  ])('takes %j', (text, assertion) => {
    expect(readAssertion(text)).toEqual({ kind: 'read', assertion });
  });

  it.each(['', 'contains', 'regex (', 'regex (?<=a)b', 'max-length long', 'javascript 1', 'is-json {}'])(
    'says what is wrong with %j',
    (text) => {
      expect(readAssertion(text)).toMatchObject({ kind: 'wrong' });
    },
  );
});
