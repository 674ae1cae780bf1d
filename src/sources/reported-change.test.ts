import { describe, expect, test } from 'vitest';
import { readChanges } from './reported-change.ts';

const NOW = new Date('2026-01-05T10:00:00Z');
const read = (body: unknown) => readChanges(body, { now: NOW, environment: 'production' });
const CHANGE = { service: 'bot', kind: 'prompt', to: 'v13' };
const problemsOf = (body: unknown) => {
  const found = read(body);
  return found.kind === 'malformed' ? found.problems : [];
};

describe('a change that is reported', () => {
  test('is-read-with-what-it-leaves-out', () => {
    expect(read(CHANGE)).toEqual({
      kind: 'changes',
      changes: [
        {
          ...{ service: 'bot', environment: 'production', kind: 'prompt', name: null, from: null, to: 'v13' },
          ...{ at: null, by: null, source: null, id: null },
        },
      ],
    });
    const all = {
      ...{ ...CHANGE, environment: 'staging', kind: 'flag', name: 'refund', from: false, to: true },
      ...{ at: '2026-01-05T09:00:00+01:00', by: ' alice ', source: 'ci', id: '42', unknown: {} },
    };
    expect(read([all])).toMatchObject({
      changes: [
        { ...{ environment: 'staging', name: 'refund', from: 'false', to: 'true', by: 'alice', id: '42' } },
      ],
    });
    expect(read([{ ...CHANGE, to: 3, at: '2026-01-05T10:04:59Z' }])).toMatchObject({ kind: 'changes' });
  });

  test.each([
    [{ ...CHANGE, service: undefined }, 'service: is missing: must be a text'],
    [{ ...CHANGE, service: ' ' }, 'service: must not be empty'],
    [{ ...CHANGE, kind: 'promt' }, 'kind: must be one of prompt, model, flag, index, deploy'],
    [{ service: 'bot', kind: 'model' }, 'to: is missing: must be a text'],
    [{ ...CHANGE, to: null }, 'to: must be a text'],
    [{ ...CHANGE, to: ['v13'] }, 'to: must be a text'],
    [{ ...CHANGE, by: 'a\nb' }, 'by: must be one line, without control characters'],
    [{ ...CHANGE, by: 'x'.repeat(201) }, 'by: must be at most 200 characters'],
    [{ ...CHANGE, by: 'a\ud800b' }, 'by: must be well-formed Unicode, without half of a surrogate pair'],
    [
      { ...CHANGE, at: '1999-12-31T23:59:59Z' },
      'at: is before 2000; send the time of the change, or leave it out',
    ],
    [{ ...CHANGE, at: 'yesterday' }, 'at: must be a time such as 2026-01-05T10:00:00Z; leave it out for now'],
    [
      { ...CHANGE, at: '2026-01-05T10:06:00Z' },
      'at: is in the future (it is 2026-01-05T10:00:00.000Z here); send the time of the change, or leave it out',
    ],
    ['v13', 'body: must be an object such as {"service", "kind", "to"}'],
    [[], 'body: must hold from 1 to 500 changes'],
    [Array.from({ length: 501 }, () => CHANGE), 'body: must hold from 1 to 500 changes'],
  ])('is refused by its field: %j', (body, problem) => {
    expect(problemsOf(body)).toEqual([problem]);
  });

  test('each-wrong-one-of-a-list-is-named-by-its-place', () => {
    expect(problemsOf([CHANGE, { ...CHANGE, kind: 'x' }, null])).toEqual([
      '[1].kind: must be one of prompt, model, flag, index, deploy',
      '[2]: must be an object such as {"service", "kind", "to"}',
    ]);
  });
});
