import { describe, expect, test } from 'vitest';
import type { VoteChoice } from '../db/schema.ts';
import { approvedBy, type Electorate, isNeverAlone, judgeVote } from './approval.ts';
import { classOf, type StandingApproval, standingApprovals } from './approval-class.ts';
import { hashPlan, type Plan, STANDING_APPROVALS, type Step, undoOf } from './plan.ts';

const ALL = standingApprovals({
  service: 'answers',
  environment: 'production',
  target: 'webhook a',
  names: STANDING_APPROVALS,
});
const OFF: Step = { setting: 'enabled', from: true, to: false };
const ON: Step = { setting: 'enabled', from: false, to: true };
const BACK: Step = { setting: 'prompt:answer', from: 'v14', to: 'v13' };
const NAMED: Plan['wish'] = { kind: 'named', undoes: null };

const classed = (steps: Step[]) =>
  classOf({ steps, wish: NAMED, category: 'quality', isForward: false, offender: null, standing: ALL });

describe('votes', () => {
  const now = new Date('2026-11-22T03:00:00Z');
  const planFor = (steps: Step[]): Plan => ({
    format: 3,
    incidentId: 1,
    service: 'answers',
    environment: 'production',
    target: 'webhook a',
    steps,
    undo: undoOf(steps),
    expiresAt: '2026-11-22T03:15:00.000Z',
    shift: null,
    wish: NAMED,
    why: 'Named by hand.',
    blastRadius: 'All.',
    rule: null,
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
    reason: null,
  });
  const PEOPLE = ['U1', 'U2', 'U3'];
  const electorate = (given: Partial<Electorate> = {}): Electorate => ({
    mayApprove: PEOPLE,
    mayBreakGlass: [...PEOPLE, 'U5'],
    standing: ALL,
    ...given,
  });
  const judged = (
    steps: Step[],
    voter: string,
    given: {
      votes?: string[];
      standing?: StandingApproval[];
      people?: Partial<Electorate>;
      choice?: VoteChoice;
      reason?: string;
    } = {},
  ) => {
    const mitigation = mitigationFor(planFor(steps));
    const votes = (given.votes ?? []).map((one) => approve(one, mitigation.plan_hash));
    return judgeVote({
      mitigation,
      voter,
      choice: given.choice ?? 'approve',
      planHash: mitigation.plan_hash,
      reason: given.reason,
      electorate: electorate({ standing: given.standing ?? ALL, ...given.people }),
      votes,
      now,
    });
  };

  test('two-distinct-people-neither-of-whom-proposed-it', () => {
    expect(judged([ON], 'U1')).toEqual({ kind: 'own-proposal' });
    expect(judged([ON], 'U2')).toEqual({ kind: 'counted', have: 1, needed: 2 });
    expect(judged([ON], 'U2', { votes: ['U2'] })).toEqual({ kind: 'already-voted', have: 1, needed: 2 });
    expect(judged([ON], 'U3', { votes: ['U2'] })).toEqual({ kind: 'approved', standing: null, alone: false });
    expect(judged([ON], 'U9', { votes: ['U2'] })).toMatchObject({ kind: 'not-allowed' });
  });

  test('the-clicker-alone-while-the-standing-approval-is-what-it-was', () => {
    expect(judged([OFF], 'U1')).toEqual({ kind: 'approved', standing: 'disable', alone: false });
    expect(judged([OFF], 'U9')).toMatchObject({ kind: 'not-allowed' });
    expect(judged([OFF], 'U1', { standing: [] })).toEqual({ kind: 'own-proposal' });
    expect(judged([OFF], 'U2', { standing: [] })).toEqual({ kind: 'approved', standing: null, alone: false });
    const other = ALL.map(({ what }) => ({ what, hash: 'f'.repeat(64) }));
    expect(judged([OFF], 'U1', { standing: other })).toEqual({ kind: 'own-proposal' });
  });

  test('only-votes-of-exactly-this-plan-make-an-approval', () => {
    const mitigation = mitigationFor(planFor([ON]));
    const of = (...voters: string[]) => voters.map((one) => approve(one, mitigation.plan_hash));
    expect(approvedBy(mitigation, of('U2', 'U2'), electorate())).toBeNull();
    expect(approvedBy(mitigation, of('U1', 'U2'), electorate())).toBeNull();
    expect(approvedBy(mitigation, [...of('U2'), approve('U3', '0'.repeat(64))], electorate())).toBeNull();
    expect(approvedBy(mitigation, of('U2', 'U3'), electorate())?.approvers).toEqual(['U2', 'U3']);
    const altered = { ...mitigation, plan: { ...mitigation.plan, steps: [OFF] } };
    expect(approvedBy(altered, of('U2', 'U3'), electorate())).toBeNull();
  });

  test('a-standing-approval-that-was-taken-away-before-the-run-approves-nothing', () => {
    const mitigation = mitigationFor(planFor([OFF]));
    const own = [approve('U1', mitigation.plan_hash)];
    expect(approvedBy(mitigation, own, electorate())?.approvers).toEqual(['U1']);
    expect(approvedBy(mitigation, own, electorate({ standing: [] }))).toBeNull();
  });

  test('whoever-may-approve-no-more-does-not-count-any-more', () => {
    const mitigation = mitigationFor(planFor([ON]));
    const votes = [approve('U2', mitigation.plan_hash), approve('U3', mitigation.plan_hash)];
    const without = electorate({ mayApprove: ['U1', 'U2'] });
    expect(approvedBy(mitigation, votes, without)).toBeNull();
    const since = { votes: ['U3'], people: { mayApprove: ['U1', 'U2', 'U4'] } };
    expect(judged([ON], 'U2', since)).toEqual({ kind: 'counted', have: 1, needed: 2 });
    expect(judged([ON], 'U4', { ...since, votes: ['U3', 'U2'] })).toMatchObject({ kind: 'approved' });
  });

  test('the-proposer-withdraws-others-reject-and-add-their-reason-once', () => {
    expect(judged([ON], 'U1', { choice: 'reject' })).toEqual({ kind: 'withdrawn' });
    expect(judged([ON], 'U2', { choice: 'reject' })).toEqual({ kind: 'rejected' });
    expect(judged([ON], 'U9', { choice: 'reject' })).toMatchObject({ kind: 'not-allowed' });
    const plan = planFor([ON]);
    const mitigation = { ...mitigationFor(plan), status: 'rejected' as const };
    const said = (voter: string, kept: string | null, reason: string) =>
      judgeVote({
        mitigation,
        voter,
        choice: 'reject',
        planHash: mitigation.plan_hash,
        reason,
        electorate: electorate(),
        votes: [{ voter: 'U2', choice: 'reject', plan_hash: mitigation.plan_hash, reason: kept }],
        now,
      }).kind;
    expect(said('U2', null, 'wrong version')).toBe('reason-kept');
    expect(said('U2', null, ' ')).toBe('already-decided');
    expect(said('U2', 'said before', 'another')).toBe('already-decided');
    expect(said('U3', null, 'not mine')).toBe('already-decided');
  });

  test('one-person-alone-says-why-and-only-where-an-approval-of-theirs-is-not-enough', () => {
    const glass = (voter: string, given: Parameters<typeof judged>[2] = {}, steps = [BACK]) =>
      judged(steps, voter, { choice: 'break-glass', reason: 'nobody answers', ...given });
    expect(glass('U1')).toEqual({ kind: 'approved', standing: null, alone: true });
    expect(glass('U5')).toEqual({ kind: 'approved', standing: null, alone: true });
    expect(glass('U9')).toEqual({ kind: 'not-allowed', who: [...PEOPLE, 'U5'] });
    expect(glass('U1', { reason: '  ' })).toEqual({ kind: 'no-reason' });
    expect(glass('U2')).toEqual({ kind: 'glass-not-needed' });
    expect(glass('U2', {}, [ON])).toMatchObject({ alone: true });
    expect(glass('U2', { votes: ['U3'] }, [ON])).toEqual({ kind: 'glass-not-needed' });
    expect(glass('U1', { people: { mayBreakGlass: null } }, [ON])).toEqual({ kind: 'never-alone' });
  });

  test('a-plan-that-one-person-ran-is-approved-by-that-person-for-that-reason-alone', () => {
    const mitigation = mitigationFor(planFor([ON]));
    const vote = (given: object = {}) => ({
      ...approve('U5', mitigation.plan_hash),
      choice: 'break-glass' as const,
      reason: 'nobody answers',
      ...given,
    });
    expect(approvedBy(mitigation, [vote()], electorate())).toMatchObject({
      approvers: ['U5'],
      path: { kind: 'break-glass', reason: 'nobody answers' },
    });
    expect(approvedBy(mitigation, [vote({ reason: ' ' })], electorate())).toBeNull();
    expect(approvedBy(mitigation, [vote({ plan_hash: '0'.repeat(64) })], electorate())).toBeNull();
    expect(approvedBy(mitigation, [vote({ voter: 'U9' })], electorate())).toBeNull();
    expect(approvedBy(mitigation, [vote()], electorate({ mayBreakGlass: null }))).toBeNull();
    const both = [vote(), approve('U2', mitigation.plan_hash), approve('U3', mitigation.plan_hash)];
    expect(approvedBy(mitigation, both, electorate())?.path).toEqual({ kind: 'votes' });
  });

  test('nobody-resumes-alone-in-a-safety-incident', () => {
    expect(isNeverAlone({ steps: [BACK, ON] }, 'safety')).toBe(true);
    expect(isNeverAlone({ steps: [OFF] }, 'safety')).toBe(false);
    expect(isNeverAlone({ steps: [ON] }, 'quality')).toBe(false);
  });
});
