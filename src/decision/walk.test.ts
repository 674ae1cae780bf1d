import { expect, test } from 'vitest';
import { ANSWERS, loadPlaybook, type Playbook } from './playbook.ts';
import { type Asked, type Observations, suggest, walk } from './walk.ts';

const playbook = loadPlaybook();
const nothing: Observations = {
  promptChanged: false,
  modelChanged: false,
  scoreFell: false,
  formatFell: false,
  contextGrew: false,
  errorsRose: false,
};
const suggested = (seen: Partial<Observations>) => suggest(playbook, { ...nothing, ...seen });

test('a-walk-starts-at-the-first-step-of-its-symptom', () => {
  expect(walk(playbook, [], 'wrong-answers-consistent').step?.looks_at).toBe('last-prompt-change');
});

test('a-changed-prompt-leads-to-a-rollback', () => {
  const end = walk(playbook, [{ step: 'prompt-moved', answer: 'yes' }], 'wrong-answers-consistent');
  expect(end.leaf?.action).toBe('previous-prompt');
});

test('an-answer-leads-to-the-next-step-and-an-open-step-is-asked-again', () => {
  const path: Asked[] = [
    { step: 'prompt-moved', answer: 'no' },
    { step: 'model-moved', answer: null },
  ];
  expect(walk(playbook, path, 'wrong-answers-consistent').step?.id).toBe('model-moved');
});

test('the-first-answer-to-a-step-stands', () => {
  const path = ['no', 'yes'].map((answer) => ({ step: 'prompt-moved', answer }));
  expect(walk(playbook, path, 'wrong-answers-consistent').step?.id).toBe('model-moved');
});

test('answers-of-another-symptom-or-an-older-playbook-are-passed-over', () => {
  const path: Asked[] = [
    { symptom: 'more-refusals', step: 'prompt-moved', answer: 'yes' },
    { step: 'gone', answer: 'yes' },
    { step: 'prompt-moved', answer: 'perhaps' },
  ];
  expect(walk(playbook, path, 'wrong-answers-consistent').step?.id).toBe('prompt-moved');
});

test('an-unknown-symptom-is-refused-with-the-known-ones', () => {
  expect(() => walk(playbook, [], 'weather')).toThrow(/weather.*latency-spike/s);
});

test('every-way-through-every-symptom-ends-at-a-leaf', () => {
  for (const symptom of playbook.symptoms) {
    expect(waysFrom(playbook, [], symptom.id), symptom.id).toBeGreaterThan(2);
  }
});

function waysFrom(book: Playbook, path: Asked[], symptomId: string): number {
  const { step } = walk(book, path, symptomId);
  if (step === null) return 1;
  expect(path.length).toBeLessThan(10);
  const ways = ANSWERS.map((answer) => waysFrom(book, [...path, { step: step.id, answer }], symptomId));
  return ways.reduce((sum, each) => sum + each, 0);
}

test('what-explains-most-of-the-evidence-is-suggested-first', () => {
  const all = suggested({ promptChanged: true, scoreFell: true, formatFell: true });
  expect(all[0]).toEqual({
    symptomId: 'wrong-answers-consistent',
    why: 'the prompt changed, format compliance fell and the quality score fell',
  });
});

test.each<[Partial<Observations>, string]>([
  [{ scoreFell: true }, 'wrong-answers-random'],
  [{ promptChanged: true }, 'wrong-answers-consistent'],
  [{ modelChanged: true, scoreFell: true }, 'wrong-answers-consistent'],
  [{ contextGrew: true }, 'latency-spike'],
  [{ errorsRose: true }, 'errors'],
  [{ refusalsRose: true, modelChanged: true }, 'more-refusals'],
  [{ latencyRose: true }, 'latency-spike'],
  [{ indexStale: true }, 'stale-information'],
  [{ retrievalFell: true, scoreFell: true }, 'wrong-answers-random'],
  [{ hasTopics: true, scoreFell: true }, 'hallucination-on-topics'],
  [{ hasTopics: true, scoreFell: true, modelChanged: true }, 'wrong-answers-consistent'],
  [{ costRose: true, promptChanged: true, scoreFell: true }, 'cost-out-of-proportion'],
  [{ safety: true, promptChanged: true, scoreFell: true }, 'unsafe-output'],
])('%j suggests %s', (seen, symptomId) => {
  expect(suggested(seen)[0]?.symptomId).toBe(symptomId);
});

test('nothing-seen-suggests-nothing', () => {
  expect(suggested({})).toEqual([]);
});
