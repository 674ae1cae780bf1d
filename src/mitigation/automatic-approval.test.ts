import { describe, expect, test } from 'vitest';
import { approvedBy } from './approval.ts';
import { classOf, standingApprovals } from './approval-class.ts';
import { AUTOMATION, hashPlan, type Plan, STANDING_APPROVALS, type Step, undoOf } from './plan.ts';

const ABOUT = { service: 'answers', environment: 'production', target: 'built-in' };
const STANDING = standingApprovals({ ...ABOUT, names: STANDING_APPROVALS });
const LIMIT: Step = { setting: 'limit:user u-7', from: null, to: 10 };
const NAMED = { kind: 'named' as const, undoes: null };

const planFor = (step: Step, category: 'cost' | 'safety' = 'cost', offender = 'user u-7'): Plan => ({
  format: 3,
  incidentId: 1,
  ...ABOUT,
  steps: [step],
  undo: undoOf([step]),
  expiresAt: '2026-11-22T03:15:00.000Z',
  shift: null,
  wish: NAMED,
  why: 'cost.spend names user u-7.',
  blastRadius: 'user u-7 alone.',
  rule: 'cost.spend',
  ...classOf({ steps: [step], wish: NAMED, category, isForward: false, offender, standing: STANDING }),
});

function isApproved(plan: Plan, standing = STANDING): boolean {
  const mitigation = {
    id: 1,
    plan,
    plan_hash: hashPlan(plan),
    status: 'proposed' as const,
    proposed_by: AUTOMATION,
    expires_at: new Date('2026-11-22T03:00:00Z'),
  };
  const vote = {
    voter: AUTOMATION,
    choice: 'approve' as const,
    plan_hash: mitigation.plan_hash,
    reason: null,
  };
  const electorate = { mayApprove: [AUTOMATION], mayBreakGlass: null, standing };
  return approvedBy(mitigation, [vote], electorate) !== null;
}

describe('the vote of the bot itself', () => {
  test('counts-for-the-limit-of-whom-the-evidence-names', () => {
    expect(isApproved(planFor(LIMIT))).toBe(true);
  });

  test.each<[string, Plan]>([
    ['somebody else', planFor(LIMIT, 'cost', 'user u-8')],
    ['a limit that rises', planFor({ ...LIMIT, from: 5 })],
    ['switching the feature off', planFor({ setting: 'enabled', from: true, to: false })],
    ['another model', planFor({ setting: 'model', from: 'm-1', to: 'm-2' })],
    ['a safety incident', planFor(LIMIT, 'safety')],
  ])('counts-nothing-for-%s', (_, plan) => {
    expect(isApproved(plan)).toBe(false);
  });

  test('counts-nothing-once-the-standing-approval-is-gone-or-of-another-target', () => {
    expect(isApproved(planFor(LIMIT), [])).toBe(false);
    const other = standingApprovals({ ...ABOUT, target: 'webhook a', names: STANDING_APPROVALS });
    expect(isApproved(planFor(LIMIT), other)).toBe(false);
  });
});

test('a-shift-takes-two-people-wherever-it-goes', () => {
  const step: Step = { setting: 'model', from: 'm-1', to: 'm-2' };
  const about = { steps: [step], wish: NAMED, isForward: false, offender: null, standing: STANDING };
  expect(classOf({ ...about, category: 'quality', isShift: true }).approval).toBe('two');
  expect(classOf({ ...about, category: 'quality' }).approval).toBe('one');
});
