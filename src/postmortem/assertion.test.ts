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
    [{ type: 'is-json', schema: { type: 'object', required: ['a'] } }, ' {"a": 1}\n', '{"b": 1}'],
    [{ type: 'is-json', schema: {} }, '[1]', '```json\n[1]\n```'],
    [{ type: 'min-length', chars: 3 }, 'abc', 'ab'],
    [{ type: 'max-length', chars: 3 }, 'abc', 'abcd'],
  ])('%j passes on %j and fails on %j', (assertion, good, bad) => {
    expect(checkAssertion(assertion, good)).toBe('pass');
    expect(checkAssertion(assertion, bad)).toBe('fail');
  });

  it('cannot judge a rubric, nor a regex or schema that is not one', () => {
    const schema = { type: 'nothing' };
    expect(checkAssertion({ type: 'is-json', schema }, '{}')).toBe('not-checkable');
    expect(checkAssertion({ type: 'llm-rubric', value: 'be right' }, 'x')).toBe('not-checkable');
    expect(checkAssertion({ type: 'regex', value: '(' }, 'x')).toBe('not-checkable');
  });
});
