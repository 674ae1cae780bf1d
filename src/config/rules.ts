import { z } from 'zod';

const positive = z.number().positive();
const count = z.number().int().min(1);

/** What a rule does when it fires at one severity. `lead`: the engineering lead is told as well. */
const escalation = z.strictObject({
  action: z.enum(['page', 'ticket', 'notify']),
  /** The page waits so long, and leaves only when the rule still fires. */
  after_minutes: z.number().min(0).default(0),
});

const settings = z.strictObject({
  enabled: z.boolean(),
  shadow: z.boolean(),
  threshold: z.number().min(0),
  clear_threshold: z.number().min(0),
  window_minutes: positive,
  window_calls: count,
  min_samples: count,
  min_baseline: z.number().int().min(0),
  open_polls: count,
  open_of_polls: count,
  for_minutes: z.number().min(0),
  quiet_minutes: z.number().min(0),
  cooldown_minutes: z.number().min(0),
  sev1: escalation,
  sev2: escalation,
  auto_remediate: z.boolean(),
  lead_after_minutes: positive,
});

/** Every number of a rule. The unit of the thresholds is the rule's own, see the rule reference in the README. */
export type RuleSettings = z.infer<typeof settings>;
export type Escalation = z.infer<typeof escalation>;

const overrides = settings.partial();

/** What a team changed of a rule; `environments` changes it once more for one environment. */
export const ruleOverrides = overrides.extend({
  environments: z.record(z.string().min(1), overrides).default({}),
});
export type RuleOverrides = z.infer<typeof ruleOverrides>;
