/** What a case demands of an output, in promptfoo's words. Lengths are counted in UTF-16 units. */
export type Assertion =
  | { readonly type: TextAssertion; readonly value: string }
  | { readonly type: 'min-length'; readonly chars: number }
  | { readonly type: 'max-length'; readonly chars: number }
  | { readonly type: 'llm-rubric'; readonly value: string };

export type TextAssertion =
  | 'equals'
  | 'not-equals'
  | 'contains'
  | 'not-contains'
  | 'icontains'
  | 'not-icontains'
  | 'regex'
  | 'not-regex';

export type Verdict = 'pass' | 'fail' | 'not-checkable';

/**
 * What promptfoo would say of `output`. Nothing is evaluated as code. `not-checkable` when only a model can
 * judge, or when a regex is not one.
 */
export function checkAssertion(assertion: Assertion, output: string): Verdict {
  if (assertion.type === 'llm-rubric') return 'not-checkable';
  if (assertion.type === 'min-length') return verdict(output.length >= assertion.chars);
  if (assertion.type === 'max-length') return verdict(output.length <= assertion.chars);
  return checkText(assertion.type, assertion.value, output);
}

function verdict(holds: boolean): Verdict {
  return holds ? 'pass' : 'fail';
}

function checkText(type: TextAssertion, value: string, output: string): Verdict {
  switch (type) {
    case 'equals':
      return verdict(output === value);
    case 'not-equals':
      return verdict(output !== value);
    case 'contains':
      return verdict(output.includes(value));
    case 'not-contains':
      return verdict(!output.includes(value));
    case 'icontains':
      return verdict(output.toLowerCase().includes(value.toLowerCase()));
    case 'not-icontains':
      return verdict(!output.toLowerCase().includes(value.toLowerCase()));
    case 'regex':
    case 'not-regex':
      return checkPattern(type, value, output);
  }
}

function checkPattern(type: 'regex' | 'not-regex', source: string, output: string): Verdict {
  try {
    return verdict(new RegExp(source).test(output) === (type === 'regex'));
  } catch (error) {
    if (error instanceof SyntaxError) return 'not-checkable';
    throw error;
  }
}
