import { safetyRule } from './safety-rule.ts';

/** Policy: any one fires: a user flagged an output. */
export const safetyUserFlag = safetyRule({
  id: 'safety.user_flag',
  metric: 'Outputs that users flagged',
  title: 'A user flagged an output',
  policy: 'a user flagged an output',
});
