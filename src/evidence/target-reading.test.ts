import '../../test/harness/property-seed.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ComponentState } from './ledger.ts';
import { changesRead } from './target-reading.ts';

const REST = { value: 'none' };
const restingState = (component: string) => (component.startsWith('limit') ? REST : null);
const stateOf = (value: string): ComponentState => ({ value });

describe('reading a target', () => {
  test('any-series-of-readings-is-told-by-its-changes', () => {
    const component = fc.constantFrom('flag:enabled', 'prompt:answer', 'limit:user u', 'limit:user v');
    const reading = fc.dictionary(component, fc.constantFrom('a', 'b', 'c'));
    fc.assert(
      fc.property(fc.array(reading, { minLength: 1, maxLength: 12 }), (readings) => {
        const known = new Map<string, { state: ComponentState }>();
        const naive = new Map<string, string>();
        for (const one of readings) {
          const read = new Map(Object.entries(one).map(([name, value]) => [name, stateOf(value)]));
          const isFirst = known.size === 0;
          for (const change of changesRead({ known, read, restingState })) {
            const before =
              known.get(change.component)?.state ?? (isFirst ? null : restingState(change.component));
            expect(change.previous).toEqual(before);
            expect(change.state).not.toEqual(known.get(change.component)?.state);
            known.set(change.component, { state: change.state });
          }
          for (const name of naive.keys()) if (restingState(name)) naive.set(name, 'none');
          for (const [name, value] of Object.entries(one)) naive.set(name, value);
          expect(new Map([...known].map(([name, { state }]) => [name, state['value']]))).toEqual(naive);
        }
      }),
    );
  });

  test('what-cannot-be-told-is-no-change', () => {
    const known = new Map([['limit:user u', { state: stateOf('4') }]]);
    const nothing = { known, read: new Map(), restingState: () => null };
    expect(changesRead(nothing)).toEqual([]);
    expect(changesRead({ ...nothing, restingState })).toEqual([
      { component: 'limit:user u', state: REST, previous: stateOf('4') },
    ]);
  });
});
