import { z } from 'zod';

const NO_ID = 'must be a Slack user id (U…) or user group id (S…), never a display name';

const slackId = z.string().regex(/^[UWS][A-Z0-9]+$/, NO_ID);

/** Whoever PagerDuty says is on call by this escalation policy, at these levels, at the moment of the click. */
const onCall = z.strictObject({
  on_call: z.string().regex(/^P[A-Z0-9]+$/, 'must be the id of an escalation policy, such as PDEF456'),
  levels: z.array(z.number().int().min(1)).min(1).default([1]),
});

/** One who may approve: a user, a user group, or who is on call. */
export const approver = z.union([slackId, onCall], {
  error: () => `${NO_ID}; or {on_call: PDEF456, levels: [1]}`,
});

/** Keys that hold more keys, for the README's table. */
export const approverShapes = { 'services.NAME.approvers.': onCall.shape };
