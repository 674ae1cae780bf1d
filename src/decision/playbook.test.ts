import { expect, test } from 'vitest';
import { InputError } from '../errors.ts';
import { loadPlaybook, parsePlaybook } from './playbook.ts';

const step = (id: string, answers: string) => `{id: ${id}, instruction: Look, looks_at: none, ${answers}}`;
const book = (steps: string[], leaves = '{end: {advice: Done, action: null}}') => `
version: 1
symptoms: [{id: slow, symptom: Slow, likely_cause: Load, steps: [${steps.join(', ')}]}]
leaves: ${leaves}`;

function problemsOf(text: string): readonly string[] {
  try {
    parsePlaybook(text);
    return [];
  } catch (thrown) {
    if (thrown instanceof InputError) return thrown.problems;
    throw thrown;
  }
}

test('the-shipped-playbook-knows-the-seven-symptoms-and-beside-them-cost-and-safety', () => {
  expect(loadPlaybook().symptoms.map((symptom) => symptom.id)).toEqual([
    'wrong-answers-consistent',
    'wrong-answers-random',
    'stale-information',
    'more-refusals',
    'latency-spike',
    'errors',
    'hallucination-on-topics',
    'cost-out-of-proportion',
    'unsafe-output',
  ]);
});

// The first investigations that the source playbook names, each where that playbook puts it.
test.each([
  ['wrong-answers-consistent', ['last-prompt-change', 'served-model'], /prompt change/i],
  ['wrong-answers-random', ['retrieved-chunks'], /retrieved chunks of .*failing queries/i],
  ['stale-information', ['index-age', 'source-dates'], /verify the dates of the source documents/i],
  [
    'more-refusals',
    ['served-model', 'affected-prompts', 'refusals-by-prompt'],
    /affected prompts straight to the model/i,
  ],
  ['latency-spike', ['provider-status', 'context-length', 'rate-limits'], /status page/i],
  ['errors', ['rate-limits', 'api-changelog', 'schema-errors'], /API changelog/i],
  ['hallucination-on-topics', ['topic-coverage', 'retrieved-chunks'], /knowledge base cover the topics/i],
  ['cost-out-of-proportion', ['injection', 'loop', 'load'], /give the model other orders/i],
  ['unsafe-output', ['safety-events', 'exposed-users'], /still reach users/i],
])('the-first-investigations-of-%s-are-in-it', (id, looksAt, instruction) => {
  const steps = loadPlaybook().symptoms.find((symptom) => symptom.id === id)?.steps ?? [];
  expect(steps.map((each) => each.looks_at)).toEqual(expect.arrayContaining(looksAt));
  expect(steps.map((each) => each.instruction).join('\n')).toMatch(instruction);
});

test('every-problem-is-listed-with-its-path', () => {
  const text = `
version: 2
symptoms: [{id: "A b", symptom: S, likely_cause: "", steps: [{id: a, instruction: x, looks_at: sun, yes: b}]}]
leaves: {}
extra: 1`;
  const problems = problemsOf(text).join('\n');
  for (const path of [
    'version',
    'symptoms[0].id',
    'symptoms[0].likely_cause',
    'symptoms[0].steps[0].looks_at',
    'symptoms[0].steps[0].no',
    'symptoms[0].steps[0].unknown',
  ]) {
    expect(problems).toContain(`${path}: `);
  }
  expect(problems).toContain('extra');
});

test('an-answer-that-leads-nowhere-is-a-problem', () => {
  expect(problemsOf(book([step('a', 'yes: b, no: {leaf: gone}, unknown: {leaf: end}')]))).toEqual([
    'symptoms[0].steps[0].yes: no step "b" in "slow"',
    'symptoms[0].steps[0].no: no leaf "gone"',
  ]);
});

test('a-walk-that-might-never-end-is-a-problem', () => {
  const steps = [step('a', 'yes: b, no: b, unknown: b'), step('b', 'yes: a, no: {leaf: end}, unknown: b')];
  expect(problemsOf(book(steps))).toEqual([
    'symptoms[0].steps[1].yes: goes back to "a", so a walk might never end',
    'symptoms[0].steps[1].unknown: goes back to "b", so a walk might never end',
  ]);
});

test('a-step-or-leaf-that-cannot-be-reached-is-a-problem', () => {
  const end = 'yes: {leaf: end}, no: {leaf: end}, unknown: {leaf: end}';
  const leaves = '{end: {advice: Done, action: null}, lost: {advice: Done, action: contain}}';
  expect(problemsOf(book([step('a', end), step('b', end)], leaves))).toEqual([
    'symptoms[0].steps[1]: no answer leads here',
    'leaves.lost: no step leads here',
  ]);
});

test('an-id-that-is-used-twice-is-a-problem', () => {
  const end = 'yes: {leaf: end}, no: {leaf: end}, unknown: {leaf: end}';
  expect(problemsOf(book([step('a', end), step('a', end)]))).toContain(
    'symptoms[0].steps[1].id: is used twice',
  );
});

test.each(['', '- 1', 'a: [', 'leaves: &a {x: *a}'])('text-that-is-no-playbook-is-refused: %j', (text) => {
  expect(problemsOf(text).length).toBeGreaterThan(0);
});

test('an-edition-names-the-text-that-was-walked', () => {
  const end = 'yes: {leaf: end}, no: {leaf: end}, unknown: {leaf: end}';
  const text = book([step('a', end)]);
  const editions = [text, text.replace('Look', 'Look twice'), `edition: ours 3\n${text}`].map(
    (one) => parsePlaybook(one).edition,
  );
  expect(new Set(editions).size).toBe(3);
  expect(editions[0]).toMatch(/^unnamed \([0-9a-f]{8}\)$/);
  expect(editions[2]).toMatch(/^ours 3 \([0-9a-f]{8}\)$/);
});
