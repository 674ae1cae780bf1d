import { expect, test } from 'vitest';
import { AFFECTED, HARM, type Impact, severityOf } from './impact.ts';

const of = (affected: Impact['affected'], harm: Impact['harm'], exposed: Impact['exposed'] = 'no') =>
  severityOf({ affected, harm, exposed }, 'quality');

test.each([
  ['most', 'down', 'sev1'],
  ['most', 'wrong', 'sev1'],
  ['most', 'unsure', 'sev1'],
  ['some', 'wrong', 'sev2'],
  ['unsure', 'down', 'sev2'],
  ['few', 'down', 'sev3'],
  ['most', 'degraded', 'sev2'],
  ['some', 'degraded', 'sev3'],
  ['few', 'degraded', 'sev3'],
  ['few', 'harmful', 'sev1'],
] as const)('%s affected and it is %s: %s', (affected, harm, severity) => {
  expect(of(affected, harm)).toEqual({ severity, category: 'quality' });
});

test('exposed-data-makes-it-a-safety-incident-whatever-was-chosen', () => {
  for (const affected of AFFECTED)
    for (const harm of HARM)
      expect(of(affected, harm, 'yes')).toEqual({ severity: 'sev1', category: 'safety' });
  expect(severityOf({ affected: 'few', harm: 'degraded', exposed: 'no' }, 'safety').severity).toBe('sev1');
});

test('not-to-know-is-never-milder-than-to-know-that-few-are-affected', () => {
  const rank = (one: ReturnType<typeof of>) => Number(one.severity.slice(3));
  for (const harm of HARM) expect(rank(of('unsure', harm))).toBeLessThanOrEqual(rank(of('few', harm)));
});
