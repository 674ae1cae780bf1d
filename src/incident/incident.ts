import type { Escalation } from '../config/rules.ts';
import type { Category, IncidentStatus, Row, Severity } from '../db/schema.ts';

export type Incident = Row<'incident'>;

export type MilestoneName =
  | 'started'
  | 'detected'
  | 'declared'
  | 'acknowledged'
  | 'contained'
  | 'mitigated'
  | 'resolved'
  | 'closed';

export type Milestones = Partial<Record<MilestoneName, Date>>;

export const CATEGORIES: readonly Category[] = ['outage', 'quality', 'cost', 'safety'];
export const SEVERITIES: readonly Severity[] = ['sev1', 'sev2', 'sev3'];
export const PRODUCTION = 'production';

/** True for the Slack id of a person; a terminal and the bot itself act under names that are none. */
export const isPerson = (actor: string | null): actor is string =>
  actor !== null && /^[UW][A-Z0-9]+$/.test(actor);

/** An incident that still needs people. */
export const LIVE: readonly IncidentStatus[] = ['triage', 'open', 'contained', 'mitigated'];

/** What may follow what: containment and mitigation come in any order, an ended incident stays ended. */
const NEXT: Record<IncidentStatus, readonly IncidentStatus[]> = {
  triage: ['open', 'contained', 'mitigated', 'resolved', 'declined', 'merged'],
  open: ['contained', 'mitigated', 'resolved', 'declined', 'merged'],
  contained: ['open', 'mitigated', 'resolved', 'declined', 'merged'],
  mitigated: ['open', 'contained', 'resolved'],
  resolved: ['closed'],
  closed: [],
  declined: [],
  merged: [],
};

export function mayBecome(from: IncidentStatus, to: IncidentStatus): boolean {
  return NEXT[from].includes(to);
}

export function nameOf(incidentId: number): string {
  return `INC-${incidentId}`;
}

/**
 * What is one incident: signals of one category about one service in one environment; whatever a person declares by
 * one form or command (`origin`), except that a service has one safety incident at a time.
 */
export function dedupKey(about: {
  environment: string;
  service: string | null;
  category: Category;
  source: Incident['source'];
  origin: string;
}): string {
  const { environment, service, category } = about;
  const isShared = service !== null && (about.source === 'rule' || category === 'safety');
  return isShared ? `${environment}/${service}/${category}` : `declared/${about.origin}`;
}

/** Safety is sev1 and private from its first second, whatever was asked for. */
export function withSafetyRules<T extends { category: Category; severity: Severity; private: boolean }>(
  asked: T,
): T {
  return asked.category === 'safety' ? { ...asked, severity: 'sev1', private: true } : asked;
}

/** Policy: production pages; other environments never do, and drills neither. */
export const mayPage = ({ environment, drill }: Pick<Incident, 'environment' | 'drill'>): boolean =>
  environment === PRODUCTION && !drill;

export type PagePlan =
  | { kind: 'page'; afterMs: number }
  | { kind: 'ticket' }
  /** `reason` is what follows "Paged:". */
  | { kind: 'nobody'; reason: string };

/** What happens at each severity; sev3 wakes nobody. */
export type Escalations = Readonly<Record<'sev1' | 'sev2', Escalation>>;

/** When a person declares it. A rule brings its own. */
export const DECLARED_ESCALATIONS: Escalations = {
  sev1: { action: 'page', after_minutes: 0 },
  sev2: { action: 'ticket', after_minutes: 0 },
};

/**
 * Production pages, others never do, and drills neither. What a severity does is said by the rule that opened the
 * incident; a page that waits leaves only when the rule still fires then.
 */
export function pagePlan(
  incident: Pick<Incident, 'environment' | 'severity' | 'drill'>,
  escalations: Escalations,
): PagePlan {
  if (incident.drill) return { kind: 'nobody', reason: 'nobody; this is a drill' };
  if (incident.environment !== PRODUCTION) {
    return {
      kind: 'nobody',
      reason: `nobody; the environment is ${incident.environment}, and only production pages`,
    };
  }
  if (incident.severity === 'sev3') return { kind: 'nobody', reason: 'nobody; sev3 wakes no one' };
  const { action, after_minutes: minutes } = escalations[incident.severity];
  if (action === 'page') return { kind: 'page', afterMs: minutes * 60_000 };
  if (action === 'ticket') return { kind: 'ticket' };
  return { kind: 'nobody', reason: `nobody; the rule only notifies at ${incident.severity}` };
}
