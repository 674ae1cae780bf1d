import { safetyRule } from './safety-rule.ts';

/** Policy: any one fires: an output that reached a user holds words of the policy list. */
export const safetyPolicy = safetyRule({
  id: 'safety.policy',
  metric: 'Outputs against policy',
  title: 'An output against policy reached a user',
  policy: 'an output that reached a user holds words of the policy list',
});
