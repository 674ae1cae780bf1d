import { Ajv } from 'ajv';
import { RE2JS } from 're2js';

/** What a case demands of an output, in promptfoo's words. Lengths are counted in UTF-16 units. */
export type Assertion =
  | { readonly type: TextAssertion; readonly value: string }
  | { readonly type: 'is-json'; readonly schema: Readonly<Record<string, unknown>> }
  | { readonly type: 'min-length'; readonly chars: number }
  | { readonly type: 'max-length'; readonly chars: number }
  | { readonly type: 'llm-rubric'; readonly value: string };

export const TEXT_ASSERTIONS = [
  'equals',
  'not-equals',
  'contains',
  'not-contains',
  'icontains',
  'not-icontains',
  'regex',
  'not-regex',
] as const;
export type TextAssertion = (typeof TEXT_ASSERTIONS)[number];

export type Verdict = 'pass' | 'fail' | 'not-checkable';

/**
 * What promptfoo would say of `output`. Nothing is evaluated as code, and no pattern can be slow. `not-checkable` when
 * only a model can judge, or when a pattern or schema is none.
 */
export function checkAssertion(assertion: Assertion, output: string): Verdict {
  if (assertion.type === 'llm-rubric') return 'not-checkable';
  if (assertion.type === 'is-json') return checkJson(assertion.schema, output);
  if (assertion.type === 'min-length') return verdict(output.length >= assertion.chars);
  if (assertion.type === 'max-length') return verdict(output.length <= assertion.chars);
  return checkText(assertion.type, assertion.value, output);
}

/** True when a pattern can be checked in linear time. */
export function isPattern(source: string): boolean {
  return patternOf(source) !== null;
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
  const pattern = patternOf(source);
  return pattern === null ? 'not-checkable' : verdict(pattern.test(output) === (type === 'regex'));
}

/** Patterns are typed by people and outputs written by models: RE2 takes linear time, whatever both are. */
function patternOf(source: string): RE2JS | null {
  try {
    return RE2JS.compile(source);
  } catch {
    return null;
  }
}

// As promptfoo does: the whole output is JSON, and a schema with unknown words is none.
function checkJson(schema: Readonly<Record<string, unknown>>, output: string): Verdict {
  const validate = validatorOf(schema);
  if (validate === null) return 'not-checkable';
  try {
    return verdict(validate(JSON.parse(output)));
  } catch {
    return 'fail';
  }
}

const linearPattern = Object.assign((pattern: string) => RE2JS.compile(pattern), {
  code: 'require("re2js").RE2JS.compile',
});

function validatorOf(schema: Readonly<Record<string, unknown>>): ((value: unknown) => boolean) | null {
  try {
    const ajv = new Ajv({ strictSchema: true, validateFormats: false, code: { regExp: linearPattern } });
    const validate = ajv.compile(schema);
    return (value) => validate(value) === true;
  } catch {
    return null;
  }
}
