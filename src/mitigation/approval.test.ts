import { describe, expect, test } from 'vitest';
import type { Category } from '../db/schema.ts';
import {
  approvedBy,
  type Classified,
  classOf,
  judgeVote,
  type StandingApproval,
  standingApprovals,
} from './approval.ts';
import { hashPlan, type Plan, STANDING_APPROVALS, type Step } from './plan.ts';

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

describe('votes', () => {
  const now = new Date('2026-11-22T03:00:00Z');
  const planFor = (steps: Step[]): Plan => ({
    format: 2,
    incidentId: 1,
    service: 'answers',
    environment: 'production',
    target: 'webhook a',
    steps,
    wish: NAMED,
    why: 'Named by hand.',
    blastRadius: 'All.',
    rule: null,
    rehearsal: 'Not rehearsed.',
    ...classed(steps),
  });
  const mitigationFor = (plan: Plan) => ({
    id: 1,
    plan,
    plan_hash: hashPlan(plan),
    status: 'proposed' as const,
    proposed_by: 'U1',
    expires_at: new Date(now.getTime() + 60_000),
  });
  const approve = (voter: string, planHash: string) => ({
    voter,
    choice: 'approve' as const,
    plan_hash: planHash,
  });
  const judged = (
    steps: Step[],
    voter: string,
    given: { votes?: string[]; standing?: StandingApproval[] } = {},
  ) => {
    const mitigation = mitigationFor(planFor(steps));
    const votes = (given.votes ?? []).map((one) => approve(one, mitigation.plan_hash));
    return judgeVote({
      mitigation,
      voter,
      choice: 'approve',
      planHash: mitigation.plan_hash,
      mayApprove: ['U1', 'U2', 'U3'],
      votes,
      standingNow: given.standing ?? ALL,
      now,
    });
  };

  test('two-distinct-people-neither-of-whom-proposed-it', () => {
    expect(judged([ON], 'U1')).toEqual({ kind: 'own-proposal' });
    expect(judged([ON], 'U2')).toEqual({ kind: 'counted', have: 1, needed: 2 });
    expect(judged([ON], 'U2', { votes: ['U2'] })).toEqual({ kind: 'already-voted', have: 1, needed: 2 });
    expect(judged([ON], 'U3', { votes: ['U2'] })).toEqual({ kind: 'approved', standing: null });
    expect(judged([ON], 'U9', { votes: ['U2'] })).toMatchObject({ kind: 'not-allowed' });
  });

  test('the-clicker-alone-while-the-standing-approval-is-what-it-was', () => {
    expect(judged([OFF], 'U1')).toEqual({ kind: 'approved', standing: 'disable' });
    expect(judged([OFF], 'U9')).toMatchObject({ kind: 'not-allowed' });
    expect(judged([OFF], 'U1', { standing: [] })).toEqual({ kind: 'own-proposal' });
    expect(judged([OFF], 'U2', { standing: [] })).toEqual({ kind: 'approved', standing: null });
    const other = ALL.map(({ what }) => ({ what, hash: 'f'.repeat(64) }));
    expect(judged([OFF], 'U1', { standing: other })).toEqual({ kind: 'own-proposal' });
  });

  test('only-votes-of-exactly-this-plan-make-an-approval', () => {
    const mitigation = mitigationFor(planFor([ON]));
    const of = (...voters: string[]) => voters.map((one) => approve(one, mitigation.plan_hash));
    expect(approvedBy(mitigation, of('U2', 'U2'), ALL)).toBeNull();
    expect(approvedBy(mitigation, of('U1', 'U2'), ALL)).toBeNull();
    expect(approvedBy(mitigation, [...of('U2'), approve('U3', '0'.repeat(64))], ALL)).toBeNull();
    expect(approvedBy(mitigation, of('U2', 'U3'), ALL)?.approvers).toEqual(['U2', 'U3']);
    const altered = { ...mitigation, plan: { ...mitigation.plan, steps: [OFF] } };
    expect(approvedBy(altered, of('U2', 'U3'), ALL)).toBeNull();
  });

  test('a-standing-approval-that-was-taken-away-before-the-run-approves-nothing', () => {
    const mitigation = mitigationFor(planFor([OFF]));
    const own = [approve('U1', mitigation.plan_hash)];
    expect(approvedBy(mitigation, own, ALL)?.approvers).toEqual(['U1']);
    expect(approvedBy(mitigation, own, [])).toBeNull();
  });
});
