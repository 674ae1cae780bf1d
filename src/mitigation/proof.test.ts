import { describe, expect, test } from 'vitest';
import type { Step } from './plan.ts';
import { judgeProof, type MetricProof, type ProofQuestion } from './proof.ts';
import type { SeenVariant } from './served-proof.ts';

const MINUTE_MS = 60_000;
const appliedAt = new Date('2026-11-22T03:00:00Z');
const at = (minutes: number) => new Date(appliedAt.getTime() + minutes * MINUTE_MS);

const seen = (n: number, span: [number, number], is: Partial<SeenVariant> = {}): SeenVariant => ({
  promptName: 'answer',
  promptVersion: 'v14',
  requestModel: 'gpt-4',
  responseModel: 'gpt-4-0314',
  n,
  firstAt: at(span[0]),
  lastAt: at(span[1]),
  ...is,
});
const judged = (steps: Step[], given: Partial<ProofQuestion> & { minute?: number }) => {
  const { minute = 6, ...rest } = given;
  return judgeProof({
    steps,
    appliedAt,
    proveBy: at(30),
    now: at(minute),
    isUndo: false,
    variants: [],
    settled: [],
    modelsBefore: [],
    facts: new Map(),
    metric: null,
    ...rest,
  });
};
const metric = (state: MetricProof['state'], n = 100): MetricProof => ({
  state,
  n,
  needed: 100,
  counted: 'scored calls',
  line: 'Quality score 0.84.',
});

describe('a prompt', () => {
  const back: Step = { setting: 'prompt:answer', from: 'v14', to: 'v13' };
  const served = [seen(50, [1, 6], { promptVersion: 'v13' })];

  test('is-proven-by-live-calls-and-the-metric', () => {
    expect(judged([back], { variants: served, metric: metric('recovered') })).toMatchObject({
      verdict: 'proven',
      isMitigated: true,
      servedAt: at(1),
    });
    expect(judged([back], { variants: served, metric: metric('failing') }).verdict).toBe('not-contained');
    const waiting = judged([back], { variants: served, metric: metric('proving', 40) });
    expect(waiting.verdict).toBe('proving');
    expect(waiting.lines.at(-1)).toBe('Proving: 40/100 scored calls, about 9 min more at this traffic.');
  });

  test('without-a-metric-only-an-undo-is-proven', () => {
    expect(judged([back], { variants: served, minute: 30 }).verdict).toBe('unproven');
    expect(judged([back], { variants: served, isUndo: true }).verdict).toBe('proven');
  });

  test('is-not-served-while-calls-of-the-old-one-go-on', () => {
    const both = [...served, seen(40, [0, 5])];
    expect(judged([back], { variants: both, metric: metric('recovered') }).verdict).toBe('proving');
    expect(judged([back], { variants: both, metric: metric('recovered'), minute: 30 }).verdict).toBe(
      'not-contained',
    );
    const other = [...served, seen(40, [0, 5], { promptName: 'title', promptVersion: 'v2' })];
    expect(judged([back], { variants: other, metric: metric('recovered') }).verdict).toBe('proven');
  });
});

describe('what stops calls', () => {
  const off: Step = { setting: 'enabled', from: true, to: false };
  const notice: Step = { setting: 'fallback', from: 'none', to: 'notice' };
  const modelsBefore = ['gpt-4-0314'];

  test('a-switch-is-proven-by-silence-and-refuted-by-late-calls', () => {
    expect(judged([off], { minute: 4 }).verdict).toBe('proving');
    expect(judged([off], { minute: 5 })).toMatchObject({ verdict: 'proven', isMitigated: false });
    expect(judged([off], { variants: [seen(3, [0, 1.5])], minute: 6 }).verdict).toBe('proving');
    expect(judged([off], { variants: [seen(3, [0, 3])] }).verdict).toBe('not-contained');
  });

  test('a-fallback-is-proven-by-silence-or-by-another-model', () => {
    expect(judged([notice], { modelsBefore, minute: 4 }).verdict).toBe('proving');
    expect(judged([notice], { modelsBefore }).verdict).toBe('proven');
    const late = [seen(5, [3, 5])];
    expect(judged([notice], { modelsBefore, variants: late, settled: late }).verdict).toBe('not-contained');
    const simple = [seen(5, [3, 5], { responseModel: 'gpt-3.5-turbo' })];
    expect(judged([notice], { modelsBefore, variants: simple, settled: simple, minute: 5 }).verdict).toBe(
      'proven',
    );
  });

  test('switching-on-is-proven-by-calls', () => {
    const on: Step = { setting: 'enabled', from: false, to: true };
    expect(judged([on], { variants: [seen(2, [1, 2])] }).verdict).toBe('proving');
    expect(judged([on], { variants: [seen(3, [1, 2])] }).verdict).toBe('proven');
    expect(judged([on], { variants: [seen(3, [1, 2])], metric: metric('failing') }).verdict).toBe(
      'not-contained',
    );
  });

  test('a-query-type-must-have-been-seen-before', () => {
    const step: Step = { setting: 'type:billing', from: true, to: false };
    const facts = (of: { n: number; before: number }) =>
      new Map([[step.setting, { hits: of.n, lastAt: null, ...of }]]);
    expect(judged([step], { facts: facts({ n: 0, before: 0 }), minute: 30 }).verdict).toBe('unproven');
    expect(judged([step], { facts: facts({ n: 0, before: 9 }) }).verdict).toBe('proven');
    expect(judged([step], { facts: facts({ n: 2, before: 9 }) }).verdict).toBe('not-contained');
  });
});

describe('what shapes calls', () => {
  const step = (setting: string, to: Step['to']): Step => ({ setting, from: null, to });
  const withFacts = (one: Step, [n, hits]: [number, number], more: { minute?: number } = {}) =>
    judged([one], { facts: new Map([[one.setting, { n, hits }]]), ...more }).verdict;

  test('a-limit-is-proven-by-five-minutes-below-it', () => {
    const limit = step('limit:user u-7', 10);
    expect(withFacts(limit, [400, 10], { minute: 4 })).toBe('proving');
    expect(withFacts(limit, [400, 50])).toBe('proven');
    expect(withFacts(limit, [400, 51])).toBe('proving');
    expect(withFacts(limit, [400, 51], { minute: 7 })).toBe('not-contained');
  });

  test('a-limit-that-holds-while-the-metric-fails-does-not-contain', () => {
    const limit = step('limit:user u-7', 10);
    const facts = new Map([[limit.setting, { n: 400, hits: 20 }]]);
    expect(judged([limit], { facts, metric: metric('failing') }).verdict).toBe('not-contained');
    expect(judged([limit], { facts, metric: metric('recovered') })).toMatchObject({
      verdict: 'proven',
      isMitigated: true,
    });
  });

  test('a-disclaimer-must-be-in-every-one-of-20-outputs', () => {
    const disclaimer = step('disclaimer', 'May be wrong.');
    expect(withFacts(disclaimer, [19, 19])).toBe('proving');
    expect(withFacts(disclaimer, [20, 20])).toBe('proven');
    expect(withFacts(disclaimer, [20, 19])).toBe('not-contained');
  });

  test('a-phrase-in-none-of-100-outputs', () => {
    const blocked = step('blocked:refund', true);
    expect(withFacts(blocked, [99, 0])).toBe('proving');
    expect(withFacts(blocked, [100, 0])).toBe('proven');
    expect(withFacts(blocked, [5, 1])).toBe('not-contained');
  });

  test('a-cap-above-which-none-of-20-calls-is', () => {
    const cap = step('token-cap', 500);
    expect(withFacts(cap, [19, 0])).toBe('proving');
    expect(withFacts(cap, [20, 0])).toBe('proven');
    expect(withFacts(cap, [20, 1])).toBe('not-contained');
  });

  test('a-split-by-the-interval-of-100-calls-or-more', () => {
    const split = step('split:gpt-4o', 25);
    const arms = (inArm: number, others: number) => [
      seen(inArm, [2, 6], { requestModel: 'gpt-4o', responseModel: 'gpt-4o' }),
      seen(others, [2, 6]),
    ];
    expect(judged([split], { settled: arms(20, 79) }).verdict).toBe('proving');
    expect(judged([split], { settled: arms(27, 73) }).verdict).toBe('proven');
    expect(judged([split], { settled: arms(5, 95) }).verdict).toBe('proving');
    expect(judged([split], { settled: arms(5, 95), minute: 30 }).verdict).toBe('not-contained');
    const versions = [seen(25, [2, 6], { promptVersion: 'v13' }), seen(75, [2, 6])];
    expect(judged([step('split:answer=v13', 25)], { settled: versions }).verdict).toBe('proven');
  });
});
