import type { RuleSettings } from '../../config/rules.ts';
import { ruleOf } from '../../detection/rules.ts';
import { settingsIn } from '../../detection/settings.ts';
import { DECLARED_ESCALATIONS, type Escalations, type Incident } from '../../incident/incident.ts';
import type { Flow } from '../flow.ts';

/** The settings of the rule that opened it; null when a person did, or an alert from outside. */
export function ruleSettingsOf(
  flow: Pick<Flow, 'config'>,
  incident: Pick<Incident, 'source' | 'rule' | 'service' | 'environment'>,
): RuleSettings | null {
  const rule = incident.source === 'rule' ? ruleOf(incident.rule ?? '') : undefined;
  return rule === undefined ? null : settingsIn(flow.config, rule, incident);
}

export function escalationsOf(
  flow: Pick<Flow, 'config'>,
  incident: Pick<Incident, 'source' | 'rule' | 'service' | 'environment'>,
): Escalations {
  return ruleSettingsOf(flow, incident) ?? DECLARED_ESCALATIONS;
}

const LEAD_AFTER_MINUTES = 20;

/** How long a page may go unacknowledged before the engineering lead is told. */
export function leadAfterMs(
  flow: Pick<Flow, 'config'>,
  incident: Pick<Incident, 'source' | 'rule' | 'service' | 'environment'>,
): number {
  return (ruleSettingsOf(flow, incident)?.lead_after_minutes ?? LEAD_AFTER_MINUTES) * 60_000;
}
