import { z } from 'zod';

const slackUser = z.string().regex(/^[UW][A-Z0-9]+$/, 'must be a Slack user id such as U012ABC');
const pagerDutyId = z.string().regex(/^[A-Z0-9]+$/, 'must be a PagerDuty id such as PABC123');

/** What is paged for one service, and its own access where it is not that of the environment. */
export const pagerDutyService = z
  .strictObject({
    service: z.string().min(1).optional(),
    escalation_policy: z.string().min(1).optional(),
    routing_key: z.string().min(1).optional(),
    token: z.string().min(1).optional(),
    from: z.email('must be the e-mail of a PagerDuty user').optional(),
    webhook_secret: z.string().min(1).optional(),
  })
  .refine(
    ({ service, routing_key }) => service !== undefined || routing_key !== undefined,
    'must name the PagerDuty service, or a routing_key',
  )
  .refine(
    ({ token, from }) => token === undefined || from !== undefined,
    'with a token of its own it needs from: the e-mail of the PagerDuty user in whose name it writes',
  );
export type PagerDutyServiceConfig = z.infer<typeof pagerDutyService>;

/** Who is who where the e-mail addresses differ: PagerDuty user id → Slack user id. */
export const peopleMap = z.record(pagerDutyId, slackUser).default({});

/** The names of the account's priorities, by severity. */
export const priorityNames = z.strictObject({
  sev1: z.string().min(1).optional(),
  sev2: z.string().min(1).optional(),
  sev3: z.string().min(1).optional(),
});

export const pagerDutyShapes = {
  'services.NAME.pagerduty.': pagerDutyService.shape,
  'pagerduty_priorities.': priorityNames.shape,
};
