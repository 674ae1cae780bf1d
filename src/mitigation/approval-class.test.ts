import { describe, expect, test } from 'vitest';
import type { Category } from '../db/schema.ts';
import { type Classified, classOf, standingApprovals } from './approval-class.ts';
import { type Plan, STANDING_APPROVALS, type Step } from './plan.ts';

const ALL = standingApprovals({
  service: 'answers',
  environment: 'production',
  target: 'webhook a',
  names: STANDING_APPROVALS,
});
const OFF: Step = { setting: 'enabled', from: true, to: false };
const ON: Step = { setting: 'enabled', from: false, to: true };
const BACK: Step = { setting: 'prompt:answer', from: 'v14', to: 'v13' };
const LIMIT: Step = { setting: 'limit:user u-7', from: null, to: 10 };
const NAMED: Plan['wish'] = { kind: 'named', undoes: null };

const classed = (steps: Step[], given: Partial<Classified> = {}) =>
  classOf({
    steps,
    wish: NAMED,
    category: 'quality' as Category,
    isForward: false,
    offender: null,
    standing: ALL,
    ...given,
  });

describe('approval classes', () => {
  test('a-standing-approval-covers-only-its-sort', () => {
    expect(classed([OFF])).toMatchObject({ approval: 'standing', standing: { what: 'disable' } });
    expect(classed([{ setting: 'type:billing', from: true, to: false }]).approval).toBe('standing');
    expect(classed([OFF, BACK])).toEqual({ approval: 'one', standing: null });
    expect(classed([OFF], { standing: [] })).toEqual({ approval: 'one', standing: null });
    expect(classed([BACK])).toEqual({ approval: 'one', standing: null });
    expect(classed([BACK], { wish: { kind: 'known-good', undoes: null } }).standing?.what).toBe('known-good');
  });

  test('only-the-named-offender-is-throttled-at-one-click', () => {
    expect(classed([LIMIT], { offender: 'user u-7' }).standing?.what).toBe('throttle-offender');
    expect(classed([LIMIT], { offender: 'user u-8' }).approval).toBe('one');
    expect(classed([LIMIT]).approval).toBe('one');
    const looser: Step = { setting: 'limit:user u-7', from: 10, to: 20 };
    expect(classed([looser], { offender: 'user u-7' }).approval).toBe('one');
    const lifted: Step = { setting: 'limit:user u-7', from: 10, to: null };
    expect(classed([lifted], { offender: 'user u-7' }).approval).toBe('one');
  });

  test('resuming-going-forward-and-shifting-up-take-two', () => {
    expect(classed([ON])).toEqual({ approval: 'two', standing: null });
    expect(classed([{ setting: 'fallback', from: 'notice', to: 'none' }]).approval).toBe('two');
    expect(classed([{ setting: 'blocked:refund', from: true, to: false }]).approval).toBe('two');
    expect(classed([BACK], { isForward: true }).approval).toBe('two');
    expect(classed([{ setting: 'split:gpt-4o', from: 10, to: 25 }]).approval).toBe('two');
    expect(classed([{ setting: 'split:gpt-4o', from: 25, to: 10 }]).approval).toBe('one');
  });

  test('in-a-safety-incident-no-automation-may-run-it', () => {
    const safety = { category: 'safety' as Category };
    expect(classed([BACK], safety)).toEqual({ approval: 'never-automatic', standing: null });
    expect(classed([OFF], safety)).toMatchObject({
      approval: 'never-automatic',
      standing: { what: 'disable' },
    });
    expect(classed([ON], safety).approval).toBe('two');
  });

  test('a-standing-approval-is-of-one-service-one-target-one-sort', () => {
    const hashes = new Set(ALL.map(({ hash }) => hash));
    for (const other of [{ service: 'search' }, { environment: 'staging' }, { target: 'webhook b' }]) {
      const about = { service: 'answers', environment: 'production', target: 'webhook a', ...other };
      for (const { hash } of standingApprovals({ ...about, names: STANDING_APPROVALS })) hashes.add(hash);
    }
    expect(hashes.size).toBe(4 * STANDING_APPROVALS.length);
  });
});
