import { quantileSorted } from 'simple-statistics';
import type { Category, Severity } from '../db/schema.ts';
import { durations } from './duration.ts';
import type { Milestone } from './record.ts';

/** An incident that was one: neither a drill, nor a false alarm, nor merged into another. */
export interface ReportedIncident {
  id: number;
  service: string | null;
  category: Category;
  severity: Severity;
  private: boolean;
  declaredAt: Date;
  milestones: readonly Milestone[];
}

/** How long one stage took over several incidents; `n` counts those of which it is known. */
export interface StageTimes {
  label: string;
  n: number;
  medianMs: number | null;
  p90Ms: number | null;
}

export interface ResponseTimes {
  incidents: number;
  stages: StageTimes[];
}

/** Median and 90th percentile of every stage; null where no incident has both ends of it. */
export function responseTimes(incidents: readonly ReportedIncident[]): ResponseTimes {
  const each = incidents.map(({ milestones }) => durations(milestones));
  const labels = durations([]).map(({ label }) => label);
  const stages = labels.map((label, index) => {
    const known = each.flatMap((spans) => spans[index]?.ms ?? []).sort((a, b) => a - b);
    const at = (share: number) => (known.length === 0 ? null : Math.round(quantileSorted(known, share)));
    return { label, n: known.length, medianMs: at(0.5), p90Ms: at(0.9) };
  });
  return { incidents: incidents.length, stages };
}

export type Grouping = 'service' | 'category' | 'severity';

/** The same for each service, category or severity that occurs, the one with most incidents first. */
export function responseTimesBy(
  incidents: readonly ReportedIncident[],
  grouping: Grouping,
): { group: string; times: ResponseTimes }[] {
  const groups = Map.groupBy(incidents, (incident) => incident[grouping] ?? 'no service named');
  return [...groups]
    .map(([group, members]) => ({ group, times: responseTimes(members) }))
    .sort((a, b) => b.times.incidents - a.times.incidents || (a.group < b.group ? -1 : 1));
}

/** How often a rule that opened incidents was right about it. */
export interface RuleRecord {
  rule: string;
  opened: number;
  declined: number;
}

/** The share of what it opened that was an incident. */
export function precisionOf({ opened, declined }: Pick<RuleRecord, 'opened' | 'declined'>): number {
  return opened === 0 ? 0 : (opened - declined) / opened;
}

/** "12 opened, 3 of them false alarms". */
export function describeRuleRecord({ rule, opened, declined }: RuleRecord): string {
  const wrong =
    declined === 0
      ? 'no false alarm'
      : `${declined} of them ${declined === 1 ? 'a false alarm' : 'false alarms'}`;
  return `${rule}: ${opened} opened, ${wrong}`;
}
