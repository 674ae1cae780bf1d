import { type Assertion, isPattern, TEXT_ASSERTIONS } from './assertion.ts';

export type AssertionRead = { kind: 'read'; assertion: Assertion } | { kind: 'wrong'; problem: string };

const SHORT: Record<string, Assertion['type']> = { rubric: 'llm-rubric' };
const LONGEST_VALUE = 2_000;

export const ASSERTION_USAGE =
  'contains TEXT, not-contains TEXT, icontains TEXT, not-icontains TEXT, equals TEXT, not-equals TEXT, regex PATTERN, ' +
  'not-regex PATTERN, min-length CHARS, max-length CHARS or rubric TEXT';

/** What somebody demands of an answer: `contains 14 days`, `max-length 400`. */
export function readAssertion(text: string): AssertionRead {
  const [, word = '', rest = ''] = /^(\S+)\s*([\s\S]*)$/.exec(text.trim()) ?? [];
  const type = SHORT[word.toLowerCase()] ?? word.toLowerCase();
  const value = unquoted(rest.trim());
  const wrong = (problem: string): AssertionRead => ({ kind: 'wrong', problem });
  if (type === 'min-length' || type === 'max-length') {
    if (!/^\d{1,7}$/.test(value)) return wrong(`\`${type}\` takes a number of characters.`);
    return { kind: 'read', assertion: { type, chars: Number(value) } };
  }
  const known = [...TEXT_ASSERTIONS, 'llm-rubric' as const].find((one) => one === type);
  if (known === undefined) return wrong(`An assertion is one of ${ASSERTION_USAGE}.`);
  if (value === '' || value.length > LONGEST_VALUE)
    return wrong(`\`${word}\` takes a text of 1 to ${LONGEST_VALUE} characters.`);
  if ((known === 'regex' || known === 'not-regex') && !isPattern(value))
    return wrong('That pattern is none, or has look-arounds or back-references, which are not supported.');
  return { kind: 'read', assertion: { type: known, value } };
}

/** Slack turns straight quotes into curly ones while people type. */
function unquoted(text: string): string {
  return /^["“”](.+)["“”]$/s.exec(text)?.[1] ?? text;
}
