import { describe, expect, it } from 'vitest';
import { type Assertion, checkAssertion } from './assertion.ts';

describe('checkAssertion', () => {
  it.each<[Assertion, string, string]>([
    [{ type: 'equals', value: 'No' }, 'No', 'no'],
    [{ type: 'not-equals', value: 'No' }, 'Yes', 'No'],
    [{ type: 'contains', value: '[Yes]' }, 'so [Yes].', 'so [yes].'],
    [{ type: 'not-contains', value: 'x' }, 'abc', 'axc'],
    [{ type: 'icontains', value: 'YES' }, 'yes!', 'no'],
    [{ type: 'not-icontains', value: "I can't" }, 'I can', "Sorry, i CAN'T"],
    [{ type: 'regex', value: '^\\[(Yes|No)\\]' }, '[No] because', 'No'],
    [{ type: 'not-regex', value: '\\d{3}' }, '12', '123'],
    [{ type: 'min-length', chars: 3 }, 'abc', 'ab'],
    [{ type: 'max-length', chars: 3 }, 'abc', 'abcd'],
  ])('%j passes on %j and fails on %j', (assertion, good, bad) => {
    expect(checkAssertion(assertion, good)).toBe('pass');
    expect(checkAssertion(assertion, bad)).toBe('fail');
  });

  it('cannot judge a rubric, nor a regex that is not one', () => {
    expect(checkAssertion({ type: 'llm-rubric', value: 'be right' }, 'x')).toBe('not-checkable');
    expect(checkAssertion({ type: 'regex', value: '(' }, 'x')).toBe('not-checkable');
  });
});
