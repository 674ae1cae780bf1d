import { expect, test } from 'vitest';
import { csvOf } from './export-exposure.ts';
import { checkOf } from './exposure.ts';
import { templateFor } from './exposure-notice.ts';

const at = new Date('2026-11-22T02:31:00Z');

test.each([
  ['safety.pii', 'safety', { kind: 'events', rules: ['safety.pii'] }],
  ['quality.score', 'quality', { kind: 'score', passScore: 0.6 }],
  ['quality.format', 'quality', { kind: 'format' }],
  ['quality.refusal', 'quality', { kind: 'refused' }],
  ['quality.hallucination', 'quality', { kind: 'hallucination' }],
  ['quality.drift', 'quality', { kind: 'answers', passScore: 0.6 }],
  ['outage.errors', 'outage', { kind: 'error' }],
] as const)('what %s catches is what its users were exposed to', (rule, category, check) => {
  expect(checkOf({ rule, category }, 0.6).check).toEqual(check);
});

test('a-declared-safety-incident-counts-what-any-safety-rule-caught', () => {
  const { check } = checkOf({ rule: null, category: 'safety' }, 0.5);
  expect(check).toMatchObject({ kind: 'events', rules: expect.arrayContaining(['safety.pii']) });
});

test('an-id-that-is-a-formula-or-holds-a-comma-stays-text-in-its-own-cell', () => {
  const row = (userId: string) => csvOf([{ userId, calls: 2, firstAt: at, lastAt: at }]).split('\r\n')[1];
  expect(row('=1+1')).toBe("'=1+1,2,2026-11-22T02:31:00.000Z,2026-11-22T02:31:00.000Z");
  expect(row('a,"b"')).toMatch(/^"a,""b""",2,/);
  expect(row('@SUM(A1)')).toMatch(/^'@SUM/);
});

test('a-template-names-service-and-times-and-leaves-other-braces-alone', () => {
  const config = { exposure: { template: '{service} from {from} to {to}; {other} {constructor}' } };
  const flow = { config } as unknown as Parameters<typeof templateFor>[0];
  expect(templateFor(flow, { service: 'bot {from}', from: at, to: at })).toBe(
    'bot {from} from 2026-11-22 02:31 UTC to 2026-11-22 02:31 UTC; {other} {constructor}',
  );
});
