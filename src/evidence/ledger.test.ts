import { describe, expect, test } from 'vitest';
import type { ServedCall } from '../sources/call-sample-store.ts';
import { at, T0 } from './example-calls.ts';
import { corrections, type Observed, observeCalls } from './ledger.ts';

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
    parameters: {},
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
