import { describe, expect, test } from 'vitest';
import { at } from './example-calls.ts';
import type { LedgerRow } from './ledger-store.ts';
import { diff, suspects } from './what-changed.ts';

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

  test('what-several-sources-tell-is-said-once-with-the-actor-that-any-of-them-names', () => {
    const [v12, v13] = [{ version: '12' }, { version: '13' }];
    const told = { previous: v12, state: v13 };
    const seen = row({ id: 4, at: at(-30) });
    const vendor = row({ id: 2, at: at(-90), source: 'langfuse', actor: null, ...told });
    const ci = row({ id: 1, at: at(-120), source: 'reported:ci', actor: 'alice', ...told });
    expect(suspects([ci, vendor, seen], at(0)).map((one) => [one.sentence, one.at])).toEqual([
      ['prompt support 12 → 13 by alice', at(-30)],
    ]);
    expect(suspects([ci, vendor], at(0)).map((one) => [one.sentence, one.source])).toEqual([
      ['prompt support 12 → 13 by alice', 'langfuse'],
    ]);
    const longAgo = { ...ci, at: at(-4_000) };
    expect(sentences([longAgo, seen])).toEqual(['prompt support 12 → 13', 'prompt support 12 → 13 by alice']);
    const another = { ...ci, state: { version: '14' } };
    expect(sentences([another, seen])).toHaveLength(2);
    const model = { component: 'model', previous: { requested: 'a' }, state: { requested: 'b' } };
    expect(sentences([row({ ...model, source: 'litellm' })])).toEqual(['model a → b']);
    const served = { previous: { requested: 'a', served: 'a-1' }, state: { requested: 'b', served: 'b-1' } };
    expect(
      sentences([
        row({ ...model, source: 'litellm', actor: 'bob' }),
        row({ ...model, ...served, at: at(60) }),
      ]),
    ).toEqual(['requested model a → b, served a-1 → b-1 by bob']);
  });

  test('what-a-target-was-first-read-with-is-no-change', () => {
    const first = { component: 'flag:enabled', previous: null, state: { value: 'on' }, source: 'unleash' };
    const off = { ...first, previous: { value: 'on' }, state: { value: 'off' }, at: at(-60) };
    expect(sentences([row({ ...first, at: at(-600) }), row(off)])).toEqual(['flag enabled on → off']);
    const unknown = {
      component: 'deploy',
      previous: { value: null },
      state: { value: 'v5' },
      source: 'reported',
    };
    expect(sentences([row(unknown)])).toEqual(['deploy v5']);
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

  test('a-target-that-asks-for-the-model-which-answers-tells-the-same-change', () => {
    const model = (served: string) => ({ requested: 'gpt-4', served });
    const seen = { component: 'model', previous: model('gpt-4-0314'), state: model('gpt-4-0613') };
    const told = { previous: { requested: 'gpt-4-0314' }, state: { requested: 'gpt-4-0613' } };
    const rows = [
      row({ id: 1, at: at(-60), ...seen }),
      row({ id: 2, at: at(-10), component: 'model', source: 'webhook', ...told }),
    ];
    expect(sentences(rows)).toEqual(['served model gpt-4-0314 → gpt-4-0613 (requested gpt-4 throughout)']);
    const other = row({
      id: 3,
      at: at(-5),
      component: 'model',
      source: 'webhook',
      previous: told.state,
      state: { requested: 'x' },
    });
    expect(sentences([...rows, other])).toHaveLength(2);
  });
});
