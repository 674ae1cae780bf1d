import { describe, expect, test } from 'vitest';
import { parseConfigFile } from '../config/config-file.ts';
import type { Question } from './metric-source.ts';
import { callCounter, parseRecordedCall, type RecordedCall } from './recorded-call.ts';
import { recordedCalls } from './recorded-calls.ts';

const LINE = { time: '2026-03-01T12:00:00Z', service: 'bot', request_model: 'gpt-4' };

function recorded(changes: object): RecordedCall {
  const line = parseRecordedCall(JSON.stringify({ ...LINE, ...changes }));
  if (line.kind !== 'call') throw new Error(line.problem);
  return line.call;
}

describe('a line of a record', () => {
  test('needs-a-time-a-service-and-a-model-and-may-have-keys-that-nobody-knows', () => {
    expect(recorded({ colour: 'blue' })).toMatchObject({ service: 'bot', score: null, input_tokens: null });
    expect(recorded({ time: '2026-03-01T13:00:00.5+01:00' }).time).toBe('2026-03-01T13:00:00.5+01:00');
  });

  test('is-in-utc-where-its-time-names-no-zone', () => {
    const count = callCounter(null, { environment: 'production' });
    const at = (time: string) => count(recorded({ time })).at.toISOString();
    expect(at('2026-03-01T12:00:00')).toBe('2026-03-01T12:00:00.000Z');
    expect(at('2026-03-01T12:00:00.25')).toBe('2026-03-01T12:00:00.250Z');
    expect(at('2026-03-01T12:00:00-05:00')).toBe('2026-03-01T17:00:00.000Z');
  });

  test('names-what-is-wrong-with-it', () => {
    const problemOf = (line: string) => {
      const parsed = parseRecordedCall(line);
      return parsed.kind === 'malformed' ? parsed.problem : null;
    };
    expect(problemOf('{')).toBe('is not JSON');
    expect(problemOf('[]')).toMatch(/^line: /);
    expect(problemOf(JSON.stringify({ ...LINE, time: 'yesterday' }))).toMatch(/^time: must be ISO 8601/);
    expect(problemOf(JSON.stringify({ ...LINE, score: 7, service: '' }))).toMatch(/service: .*; score: /);
  });

  test('counts-with-what-its-texts-show-and-its-own-verdict-first', () => {
    const config = parseConfigFile(
      JSON.stringify({ services: { bot: { format: { pattern: '^\\{' } } } }),
      {},
    );
    const count = callCounter(config.services['bot'] ?? null, { environment: 'staging' });
    expect(count(recorded({ output: 'no', error: '' }))).toMatchObject({
      environment: 'staging',
      formatOk: false,
      failed: false,
      outputChars: 2,
    });
    expect(
      count(recorded({ output: 'no', format_ok: true, error: 'timeout', environment: 'production' })),
    ).toMatchObject({ environment: 'production', formatOk: true, failed: true });
  });

  test('shows-a-leak-at-the-time-of-its-call', async () => {
    const count = callCounter(null, { environment: 'production' });
    const source = recordedCalls([count(recorded({ output: 'Write to jane.doe@gmail.com.' }))]);
    const asked = (from: string, to: string): Question => ({
      ...{
        service: 'bot',
        environment: 'production',
        rule: 'safety.pii',
        measure: 'safety',
        isBaseline: false,
      },
      ...{ from: new Date(from), to: new Date(to) },
    });
    const answers = await source.read(
      [
        asked('2026-03-01T11:30:00Z', '2026-03-01T12:30:00Z'),
        asked('2026-03-01T12:30:00Z', '2026-03-01T13:00:00Z'),
      ],
      new Date('2026-03-01T13:00:00Z'),
    );
    expect(answers).toEqual([
      { kind: 'reading', reading: { n: 1, value: 1, sd: null, about: 'email' } },
      { kind: 'reading', reading: { n: 0, value: 0, sd: null } },
    ]);
  });
});
