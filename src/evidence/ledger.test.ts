import { describe, expect, test } from 'vitest';
import type { ServedCall } from '../sources/call-sample-store.ts';
import { lastKnownGood, type ServingInterval } from './known-good.ts';
import { corrections, type Observed, observeCalls } from './ledger.ts';
import type { LedgerRow } from './ledger-store.ts';
import { diff, suspects } from './what-changed.ts';

const T0 = Date.UTC(2026, 0, 1);
const at = (second: number) => new Date(T0 + second * 1_000);

/** One call a second; each letter is the version of the prompt `support`. */
function served(versions: string): ServedCall[] {
  return [...versions].map((version, index) => ({
    id: index + 1,
    at: at(index),
    promptName: 'support',
    promptVersion: version,
    promptSha256: null,
    requestModel: 'gpt-4',
    responseModel: 'gpt-4-0314',
  }));
}

const promptChanges = (calls: ServedCall[]) =>
  observeCalls({ known: new Map(), calls })
    .changes.filter((change) => change.component === 'prompt:support')
    .map((change) => [change.state['version'], change.at.getTime() - T0]);

describe('the ledger', () => {
  test('the-first-call-sets-every-component', () => {
    const { changes } = observeCalls({ known: new Map(), calls: served('a') });
    expect(changes).toEqual([
      { component: 'prompt:support', state: { version: 'a', sha256: null }, previous: null, at: at(0) },
      { component: 'model', state: { requested: 'gpt-4', served: 'gpt-4-0314' }, previous: null, at: at(0) },
    ]);
  });

  test('a-10-percent-canary-is-no-change', () => {
    expect(promptChanges(served('aaaaaaaaab'.repeat(30)))).toEqual([['a', 0]]);
  });

  test('a-change-is-seen-with-its-eleventh-call-and-dated-at-its-first', () => {
    const before = 'a'.repeat(40);
    expect(promptChanges(served(before + 'b'.repeat(10)))).toEqual([['a', 0]]);
    expect(promptChanges(served(before + 'b'.repeat(11)))).toEqual([
      ['a', 0],
      ['b', 40_000],
    ]);
    expect(promptChanges(served(`${before}b${'a'.repeat(30)}${'b'.repeat(11)}`))).toEqual([
      ['a', 0],
      ['b', 71_000],
    ]);
  });

  test('a-majority-of-fewer-counts-at-the-start-and-dates-never-run-back', () => {
    expect(promptChanges(served('abbaaaa'))).toEqual([
      ['a', 0],
      ['b', 1_000],
      ['a', 3_000],
    ]);
  });

  test('pages-of-any-size-tell-the-same-story', () => {
    const calls = served(`${'a'.repeat(33)}${'ab'.repeat(20)}${'b'.repeat(25)}${'c'.repeat(18)}`);
    for (const size of [1, 7, 20, 50]) {
      let known = new Map<string, Observed>();
      const changes = [];
      for (let start = 0; start < calls.length; start += size) {
        const step = observeCalls({ known, calls: calls.slice(start, start + size) });
        known = step.known;
        changes.push(...step.changes);
      }
      expect(changes).toEqual(observeCalls({ known: new Map(), calls }).changes);
    }
  });

  test('corrections-make-the-recorded-history-read-as-the-replayed-one', () => {
    const [a, b] = [{ version: 'a' }, { version: 'b' }];
    const change = (second: number, state: typeof a) => ({
      component: 'x',
      state,
      previous: null,
      at: at(second),
    });
    const found = (recorded: [number, typeof a][], replayed: [number, typeof a][]) =>
      corrections({
        entry: a,
        recorded: recorded.map(([second, state]) => ({ at: at(second), state })),
        replayed: replayed.map(([second, state]) => change(second, state)),
      }).map((row) => [(row.at.getTime() - T0) / 1_000, row.state.version, row.previous?.['version']]);
    expect(found([[5, b]], [[5, b]])).toEqual([]);
    expect(found([], [[5, b]])).toEqual([[5, 'b', 'a']]);
    expect(found([[5, b]], [[2, b]])).toEqual([[2, 'b', 'a']]);
    expect(found([[5, b]], [])).toEqual([[5, 'a', 'a']]);
    expect(
      found(
        [
          [5, b],
          [9, a],
        ],
        [
          [2, b],
          [7, a],
        ],
      ),
    ).toEqual([
      [2, 'b', 'a'],
      [7, 'a', 'b'],
    ]);
  });
});

function row(changes: Partial<LedgerRow>): LedgerRow {
  return {
    id: 1,
    service: 'support-bot',
    environment: 'production',
    component: 'prompt:support',
    state: { version: '13', sha256: null },
    previous: { version: '12', sha256: null },
    at: at(0),
    source: 'calls',
    actor: null,
    recordedAt: at(0),
    digest: '',
    ...changes,
  };
}

const sentences = (rows: LedgerRow[], onset = at(0)) => suspects(rows, onset).map((one) => one.sentence);

describe('what changed', () => {
  test.each([
    [
      'served model gpt-4-0314 → gpt-4-0613 (requested gpt-4 throughout)',
      ['gpt-4', 'gpt-4-0314'],
      ['gpt-4', 'gpt-4-0613'],
    ],
    ['requested model gpt-4 → gpt-4o (served x throughout)', ['gpt-4', 'x'], ['gpt-4o', 'x']],
    ['requested model gpt-4 → gpt-5, served x → y', ['gpt-4', 'x'], ['gpt-5', 'y']],
    ['model a → b', ['a', 'a'], ['b', 'b']],
    ['served model unknown → x (requested gpt-4 throughout)', ['gpt-4', null], ['gpt-4', 'x']],
  ])('%s', (sentence, from, to) => {
    const state = ([requested, served]: (string | null | undefined)[]) => ({
      requested: requested ?? null,
      served: served ?? null,
    });
    expect(sentences([row({ component: 'model', previous: state(from), state: state(to) })])).toEqual([
      sentence,
    ]);
  });

  test('prompts-and-reported-changes-are-said-plainly', () => {
    const sha = (letter: string) => letter.repeat(64);
    expect(sentences([row({ actor: 'U012' })])).toEqual(['prompt support 12 → 13 by U012']);
    const text = row({
      previous: { version: '12', sha256: sha('a') },
      state: { version: '12', sha256: sha('b') },
    });
    expect(sentences([text])).toEqual([
      'prompt support text changed under the same version 12 (sha256 aaaaaaaa → bbbbbbbb)',
    ]);
    expect(sentences([row({ previous: { version: null, sha256: null } })])).toEqual([
      'prompt support first served, version 13',
    ]);
    const flag = { component: 'flag', previous: { value: 'off' }, state: { value: 'on' }, source: 'api' };
    expect(sentences([row(flag)])).toEqual(['flag off → on']);
  });

  test('the-change-closest-to-the-onset-comes-first-and-what-came-after-it-last', () => {
    const rows = [
      row({
        at: at(-9_000),
        component: 'index',
        source: 'api',
        previous: { value: 'i1' },
        state: { value: 'i2' },
      }),
      row({ at: at(-600) }),
      row({
        at: at(60),
        component: 'flag',
        source: 'api',
        previous: { value: 'f1' },
        state: { value: 'f2' },
      }),
      row({
        at: at(400),
        component: 'deploy',
        source: 'api',
        previous: { value: 'd1' },
        state: { value: 'd2' },
      }),
    ];
    expect(suspects(rows, at(0)).map((one) => one.component)).toEqual([
      'flag',
      'prompt:support',
      'index',
      'deploy',
    ]);
    expect(suspects(rows, at(0))[1]?.fromOnsetMs).toBe(-600_000);
  });

  test('first-sight-and-what-was-corrected-are-no-suspects', () => {
    const [v12, v13] = [
      { version: '12', sha256: null },
      { version: '13', sha256: null },
    ];
    const rows = [
      row({ id: 1, at: at(-900), previous: null, state: v12 }),
      row({ id: 4, at: at(-30), previous: v12, state: v13 }),
      row({ id: 2, at: at(0), previous: v12, state: v13 }),
      row({ id: 3, at: at(50), previous: v13, state: v12 }),
      row({ id: 5, at: at(50), previous: v13, state: v13 }),
    ];
    expect(suspects(rows, at(0)).map((one) => [one.at, one.sentence])).toEqual([
      [at(-30), 'prompt support 12 → 13'],
    ]);
  });

  test('two-states-differ-by-component', () => {
    const model = { requested: 'gpt-4', served: 'gpt-4-0314' };
    const before = { model, 'prompt:support': { version: '12', sha256: null } };
    const after = {
      model: { served: 'gpt-4-0314', requested: 'gpt-4' },
      'prompt:support': { version: '13', sha256: null },
    };
    expect(diff(before, after).map((one) => one.sentence)).toEqual(['prompt support 12 → 13']);
    expect(diff(before, before)).toEqual([]);
  });
});

describe('known good', () => {
  const ONSET = at(100_000);
  const interval = (
    version: string,
    seconds: [number, number],
    seen: Partial<ServingInterval> = {},
  ): ServingInterval => ({
    state: { 'prompt:support': { version, sha256: null } },
    from: at(seconds[0]),
    to: at(seconds[1]),
    scored: { n: 500, mean: 0.84 },
    format: { n: 500, passed: 495 },
    ...seen,
  });
  const chosen = (...intervals: ServingInterval[]) =>
    lastKnownGood({ intervals, onset: ONSET, baselineMean: 0.84 })?.state['prompt:support']?.['version'];

  test('the-newest-green-state-before-the-onset-is-chosen', () => {
    const old = interval('11', [0, 40_000]);
    const good = interval('12', [40_000, 99_990]);
    const bad = interval('13', [99_990, 100_000], { scored: { n: 5, mean: 0.84 } });
    expect(chosen(old, good, bad)).toBe('12');
    expect(chosen(bad, good, old)).toBe('12');
  });

  test.each([
    ['served-for-less-than-half-an-hour-before-the-onset', { from: at(98_500), to: at(110_000) }],
    ['too-few-scores', { scored: { n: 99, mean: 0.84 } }],
    ['no-data', { scored: { n: 0, mean: null } }],
    ['low-score', { scored: { n: 500, mean: 0.7 } }],
    ['bad-format', { format: { n: 500, passed: 474 } }],
    ['no-format-verdicts-where-others-have-them', { format: { n: 0, passed: 0 } }],
    ['after-the-onset', { from: ONSET, to: at(200_000) }],
  ] as [string, Partial<ServingInterval>][])('a-state-is-not-green-%s', (_name, seen) => {
    expect(chosen(interval('11', [0, 40_000]), interval('12', [40_000, 100_000], seen))).toBe('11');
  });

  test('rules-without-any-data-do-not-count-against-a-service', () => {
    const format = { n: 0, passed: 0 };
    expect(chosen(interval('12', [0, 100_000], { format }))).toBe('12');
    const unscored = interval('12', [0, 100_000], { scored: { n: 0, mean: null } });
    expect(lastKnownGood({ intervals: [unscored], onset: ONSET, baselineMean: null })).toBe(unscored);
    const blind = { ...unscored, format };
    expect(lastKnownGood({ intervals: [blind], onset: ONSET, baselineMean: null })).toBeNull();
    expect(lastKnownGood({ intervals: [], onset: ONSET, baselineMean: 0.84 })).toBeNull();
  });
});
