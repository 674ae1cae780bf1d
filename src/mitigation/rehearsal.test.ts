import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Inspected } from '../sources/inspected-call.ts';
import {
  type Check,
  checksFor,
  failedChecks,
  judgeReplay,
  passedBy,
  type RecordedFacts,
  type ReplayRecord,
  resultOf,
  type SeenOutput,
} from './rehearsal.ts';
import { describeResult, nothingFound, shortResult } from './rehearsal-text.ts';

const bars = { passScore: 0.5, minChars: null };
const sound: RecordedFacts = {
  ...{ error: null, formatOk: true, quality: 0.9, outputChars: 100, safetyRules: [] },
  ...{ refused: false, hedged: false, contradicts: null, unsupported: null },
};
const unseen: Inspected = {
  features: {
    ...{ inputChars: 10, refused: null, hedged: null },
    ...{ contradicts: null, unsupported: null, words: null },
  },
  formatOk: null,
  leaks: [],
};
const seen = (changes: Partial<SeenOutput> = {}): SeenOutput => ({
  ...{ output: 'fine', score: null, formatOk: null, classified: null, inspected: unseen },
  ...changes,
});
const leaking: Inspected = { ...unseen, leaks: [{ rule: 'safety.pii', kinds: ['email'] }] };
const judge = (looked: SeenOutput, of: { side: 'failing' | 'good'; checks: Check[]; failed: Check[] }) =>
  judgeReplay(passedBy(looked, bars), of).verdict;

const CHECKS: Check[] = ['answer', 'format', 'score', 'length', 'refusal', 'hallucination', 'pii', 'policy'];
const checks = fc.uniqueArray(fc.constantFrom(...CHECKS));
const passed = fc.record({
  ...Object.fromEntries(CHECKS.map((check) => [check, fc.constantFrom(true, false, null)])),
  classifier: fc.constant(null),
  'user-flag': fc.constant(null),
}) as fc.Arbitrary<ReturnType<typeof passedBy>>;
const side = fc.constantFrom('failing' as const, 'good' as const);
const about = fc.record({ side, checks, failed: checks });
const record = fc.record({
  side,
  verdict: fc.constantFrom('pass' as const, 'fail' as const, 'unjudged' as const),
  kind: fc.constantFrom('answered' as const, 'failed' as const, 'timed-out' as const),
  note: fc.constantFrom(null, 'score'),
  costUsd: fc.constantFrom(null, 0.01),
}) as fc.Arbitrary<ReplayRecord>;

describe('the judgement of a replay', () => {
  test('never-passes-what-was-not-looked-at', () => {
    fc.assert(
      fc.property(passed, about, (found, of) => {
        const { verdict } = judgeReplay(found, of);
        if (verdict !== 'pass') return;
        const decisive =
          of.side === 'failing' ? of.checks.filter((check) => of.failed.includes(check)) : of.checks;
        for (const check of decisive) expect(found[check]).toBe(true);
      }),
    );
  });

  test('fails-whatever-leaks-breaks-the-format-or-says-nothing', () => {
    fc.assert(
      fc.property(
        passed,
        about,
        fc.constantFrom('answer' as const, 'format' as const, 'pii' as const, 'policy' as const),
        (found, of, broken) => {
          expect(judgeReplay({ ...found, [broken]: false }, of).verdict).toBe('fail');
        },
      ),
    );
  });

  test('a-better-answer-is-never-judged-worse', () => {
    const rank = { fail: 0, unjudged: 1, pass: 2 };
    fc.assert(
      fc.property(passed, about, fc.constantFrom(...CHECKS), (found, of, check) => {
        const better = judgeReplay({ ...found, [check]: true }, of).verdict;
        expect(rank[better]).toBeGreaterThanOrEqual(rank[judgeReplay(found, of).verdict]);
      }),
    );
  });

  test.each<[string, SeenOutput, 'pass' | 'fail' | 'unjudged']>([
    ['a score at the bar', seen({ score: 0.5 }), 'pass'],
    ['a score below it', seen({ score: 0.49 }), 'fail'],
    ['no score', seen(), 'unjudged'],
    ['a good score of a text that leaks', seen({ score: 1, inspected: leaking }), 'fail'],
    ['a good score of nothing', seen({ score: 1, output: ' ' }), 'fail'],
    ['a good score in a broken format', seen({ score: 1, formatOk: false }), 'fail'],
  ])('%s', (_, looked, verdict) => {
    expect(judge(looked, { side: 'failing', checks: ['score'], failed: ['score'] })).toBe(verdict);
    expect(judge(looked, { side: 'good', checks: ['score'], failed: [] })).toBe(verdict);
  });

  test('a-call-that-failed-its-format-alone-is-judged-by-that-whatever-the-rule', () => {
    const of = { side: 'failing' as const, checks: ['score' as const], failed: ['format' as const] };
    expect(judge(seen({ formatOk: true }), of)).toBe('pass');
    expect(judge(seen({ formatOk: true, score: 0.1 }), of)).toBe('fail');
  });

  test.each<[string, Partial<RecordedFacts>, Check[]]>([
    ['sound', {}, []],
    ['an error', { error: '500', quality: null }, ['answer']],
    ['a format', { formatOk: false }, ['format']],
    ['a low score', { quality: 0.2 }, ['score']],
    ['a leak and a refusal', { refused: true, safetyRules: ['safety.pii'] }, ['refusal', 'pii']],
    ['a claim', { unsupported: true }, ['hallucination']],
  ])('a recorded call with %s', (_, changes, failed) => {
    expect(failedChecks({ ...sound, ...changes }, bars)).toEqual(failed);
  });

  test('a-short-output-is-short-only-beside-a-usual-length', () => {
    expect(failedChecks({ ...sound, outputChars: 40 }, { passScore: 0.5, minChars: 50 })).toEqual(['length']);
    expect(failedChecks({ ...sound, outputChars: 40 }, bars)).toEqual([]);
  });

  test('the-rule-that-tripped-decides-and-else-what-failed', () => {
    expect(checksFor('quality.refusal', [['score']])).toEqual(['refusal']);
    expect(checksFor(null, [['score'], ['format', 'refusal']])).toEqual(['format', 'score']);
    expect(checksFor('quality.drift', [['score']])).toEqual(['score']);
  });
});

describe('the result', () => {
  const nothingMissed = { withoutText: 0, notSent: 0, endedEarly: null };

  test('counts-every-replay-once', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 60 }), (records) => {
        const found = resultOf(records, nothingMissed);
        expect(found.failing + found.good + found.unjudged).toBe(records.length);
        expect(found.fixed).toBeLessThanOrEqual(found.failing);
        expect(found.broken).toBeLessThanOrEqual(found.good);
        expect(found.timedOut).toBeLessThanOrEqual(found.unanswered);
        const backwards = resultOf(records.toReversed(), nothingMissed);
        expect(backwards).toEqual({ ...found, costUsd: backwards.costUsd });
      }),
    );
  });

  const replay = (changes: Partial<ReplayRecord> = {}): ReplayRecord => ({
    ...{ side: 'failing', verdict: 'pass', kind: 'answered', note: null, costUsd: 0.01 },
    ...changes,
  });

  test('says-what-it-fixes-and-breaks-and-all-that-limits-it', () => {
    const records = [
      ...Array.from({ length: 18 }, () => replay()),
      replay({ verdict: 'fail', kind: 'timed-out' }),
      replay({ verdict: 'fail', kind: 'failed' }),
      ...Array.from({ length: 20 }, () => replay({ side: 'good' })),
      replay({ side: 'good', verdict: 'unjudged', note: 'score' }),
    ];
    const found = resultOf(records, { withoutText: 3, notSent: 4, endedEarly: 'budget' });
    expect(shortResult(found)).toBe('fixes 18 of 20, breaks 0 of 20');
    expect(describeResult('v13', found)).toBe(
      'v13 fixes 18 of 20, breaks 0 of 20; 1 timed out; 1 got no answer; 1 could not be judged; 3 left out, their ' +
        'texts are gone; ended early with 4 left: its budget for this incident is spent; about $0.41.',
    );
    expect(nothingFound(found, records)).toBeNull();
  });

  test('an-endpoint-that-never-answers-is-no-finding-about-the-candidate', () => {
    const records = [replay({ verdict: 'fail', kind: 'failed', note: 'it answered 401' })];
    expect(nothingFound(resultOf(records, nothingMissed), records)).toBe(
      'no replay was answered: it answered 401',
    );
  });

  test('what-nothing-can-judge-is-said-with-its-cure', () => {
    const records = [replay({ verdict: 'unjudged', note: 'score' })];
    expect(nothingFound(resultOf(records, nothingMissed), records)).toContain('configure a judge');
  });
});
