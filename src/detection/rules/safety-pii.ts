import { safetyRule } from './safety-rule.ts';

/** Policy: any one fires: an output that reached a user holds personal data or a secret. */
export const safetyPii = safetyRule({
  id: 'safety.pii',
  metric: 'Outputs with personal data',
  title: 'Personal data reached a user',
  policy: 'an output that reached a user holds personal data or a secret',
});
