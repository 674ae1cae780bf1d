import { safetyRule } from './safety-rule.ts';

/** Policy: any one fires: a classifier flagged an output that reached a user. */
export const safetyClassifier = safetyRule({
  id: 'safety.classifier',
  metric: 'Outputs that a classifier flagged',
  title: 'A classifier flagged an output',
  policy: 'a classifier flagged an output that reached a user',
});
