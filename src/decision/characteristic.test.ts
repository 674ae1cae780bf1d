import { expect, test } from 'vitest';
import {
  affectedAnswer,
  changedAnswer,
  failureAnswer,
  reproducibleAnswer,
  startedAnswer,
} from './characteristic.ts';
import { countingAnswers, type KeptAnswer } from './characteristic-store.ts';

const declared = new Date('2026-03-01T12:30:00Z');
const at = new Date('2026-03-01T12:10:00Z');

test('the-start-is-the-change-point-before-what-people-say', () => {
  const onset = { at, of: 'quality score' as const, before: 0.864, after: 0.7 };
  expect(startedAnswer(onset, { said: declared, declared }).text).toBe(
    '2026-03-01 12:10 UTC, by the change-point: quality score 0.86 before, 0.70 after; 20 min before it was declared.',
  );
  expect(startedAnswer(null, { said: at, declared }).text).toContain(
    'About 2026-03-01 12:10 UTC, as it was declared',
  );
  expect(startedAnswer(null, { said: null, declared }).text).toContain('Not known');
});

test('the-affected-share-has-its-interval-and-says-where-it-gathers', () => {
  const segments = [
    { by: 'endpoint', name: '/refunds', calls: 100, bad: 60 },
    { by: 'endpoint', name: '/orders', calls: 300, bad: 4 },
    { by: 'model', name: 'm', calls: 400, bad: 64 },
  ];
  expect(affectedAnswer({ calls: 400, bad: 64, users: 31, segments }).text).toBe(
    '16 % of requests (64 of 400, 95 %: 13 % to 20 %, 31 users). Most in endpoint /refunds (60 of 100).',
  );
  expect(affectedAnswer({ calls: 0, bad: 0, users: 0, segments: [] }).text).toContain('Not known');
});

test('failures-are-counted-by-kind-with-their-share', () => {
  const kinds = [
    { kind: 'format', n: 30 },
    { kind: 'error', n: 10 },
  ];
  expect(failureAnswer({ calls: 100, kinds, errors: [{ error: '429', n: 10 }] }).text).toBe(
    'Broken format 30 (30 %), errors 10 (10 %) of 100 calls. Errors: 429 10.',
  );
  expect(failureAnswer({ calls: 100, kinds: [], errors: [] }).text).toBe(
    'None of 100 calls fails a check that is made of them.',
  );
});

test('only-a-replay-says-that-it-fails-again', () => {
  const replay = (verdict: 'pass' | 'fail' | 'unjudged') => ({
    callId: 1,
    verdict,
    note: verdict === 'fail' ? 'score' : null,
  });
  const said = (replays: ReturnType<typeof replay>[]) =>
    reproducibleAnswer({ replays, candidates: [1, 2, 3], obstacle: null }).text;
  expect(said([])).toBe('Not tried yet. Replay 3 failing examples with the button.');
  expect(said([replay('fail'), replay('fail'), replay('fail')])).toBe(
    'Yes: 3 of 3 failing examples fail again when sent to what is served now (score).',
  );
  expect(said([replay('fail'), replay('pass'), replay('unjudged')])).toMatch(
    /^Partly: 1 of 3 .*1 could not be judged/,
  );
  expect(said([replay('pass')])).toMatch(/^No: 0 of 1/);
  expect(said([replay('unjudged')])).toMatch(/^Not known: 0 of 1/);
});

test('changes-say-how-far-from-the-onset-they-are', () => {
  const changes = [
    { sentence: 'prompt answer v13 → v14 by U1', fromOnsetMs: -20_000, at },
    { sentence: 'index docs 7 → 8', fromOnsetMs: -5 * 3_600_000, at },
  ];
  expect(changedAnswer(changes).text).toBe(
    'prompt answer v13 → v14 by U1, as it began; index docs 7 → 8, 5 h before it began.',
  );
});

test('a-persons-answer-outranks-newer-evidence-which-stays-beside-it', () => {
  const answer = (text: string, by: string | null): KeptAnswer => ({
    question: 'affected',
    text,
    by,
    evidence: {},
    at,
  });
  const counting = countingAnswers([answer('10 %', null), answer('all of them', 'U1'), answer('12 %', null)]);
  expect(counting.get('affected')).toMatchObject({
    counts: { text: 'all of them', by: 'U1' },
    evidence: { text: '12 %' },
  });
});
