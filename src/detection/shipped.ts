import type { Escalation, RuleSettings } from '../config/rules.ts';
import type { Ask } from './rule.ts';

const at = (action: Escalation['action'], afterMinutes = 0): Escalation => ({
  action,
  after_minutes: afterMinutes,
});

/** What happens at each severity, by the meanings of the playbooks. */
export const ESCALATES = {
  /** Pages when it is still so after ten minutes; a doubtful one is a ticket. */
  quality: { sev1: at('page', 10), sev2: at('ticket') },
  /** A doubtful rate is a ticket; what a probe or a status page says is not doubtful. */
  outage: { sev1: at('page'), sev2: at('ticket') },
  status: { sev1: at('page'), sev2: at('page') },
  cost: { sev1: at('page'), sev2: at('ticket') },
  spend: { sev1: at('page'), sev2: at('page'), auto_remediate: true },
  safety: { sev1: at('page'), sev2: at('page') },
} as const;

/** How many polls out of how many open it: a level that hovers needs more than one look, a full window does not. */
export const OPENS = {
  gauge: { open_polls: 3, open_of_polls: 5 },
  status: { open_polls: 2, open_of_polls: 3 },
  atOnce: { open_polls: 1, open_of_polls: 1 },
} as const;

const COMMON: Omit<RuleSettings, 'threshold' | 'clear_threshold' | 'sev1' | 'sev2'> = {
  enabled: true,
  shadow: false,
  window_minutes: 30,
  window_calls: 1_000,
  min_samples: 1,
  min_baseline: 0,
  ...OPENS.gauge,
  for_minutes: 0,
  quiet_minutes: 10,
  cooldown_minutes: 15,
  auto_remediate: false,
  lead_after_minutes: 20,
};

type Own = Pick<RuleSettings, 'threshold' | 'clear_threshold' | 'sev1' | 'sev2'> & Partial<RuleSettings>;

/** The numbers of a rule over those that all rules share. */
export function shipped(own: Own): RuleSettings {
  return { ...COMMON, ...own };
}

export function lastMinutes(measure: Ask['measure'], minutes: number): Ask {
  return { measure, over: { kind: 'window', minutes } };
}

/** The last calls, however old, or those of the last `minutes`. */
export function newestCalls(measure: Ask['measure'], calls: number, minutes?: number): Ask {
  return { measure, over: { kind: 'newest', calls, ...(minutes === undefined ? {} : { minutes }) } };
}

/** The 7 days before the last `windowMinutes`. */
export function baselineOf(measure: Ask['measure'], windowMinutes: number): Ask {
  return { measure, over: { kind: 'baseline', windowMinutes } };
}

/** The last minutes of the window, and the 7 days before them. */
export function windowAndBaseline(
  measure: Ask['measure'],
  { window_minutes: minutes }: Pick<RuleSettings, 'window_minutes'>,
): { window: Ask; baseline: Ask } {
  return { window: lastMinutes(measure, minutes), baseline: baselineOf(measure, minutes) };
}
