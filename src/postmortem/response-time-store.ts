import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import { LIVE } from '../incident/incident.ts';
import type { MilestoneName } from './record.ts';
import type { ReportedIncident, RuleRecord } from './response-times.ts';

interface Period {
  /** Declared at or after. */
  since: Date;
  /** Declared before. */
  until: Date;
  /** All services unless named. */
  service?: string | undefined;
}

/**
 * Incidents declared in the period, oldest first; drills, false alarms and merged ones are left out, and so are
 * private ones that are live: nobody else may learn that there is one.
 */
export async function reportedIncidents(db: Db, period: Period): Promise<ReportedIncident[]> {
  const { service } = period;
  const incidents = await db
    .selectFrom('incident')
    .innerJoin('milestone as declared', (join) =>
      join.onRef('declared.incident_id', '=', 'incident.id').on('declared.name', '=', 'declared'),
    )
    .select(['incident.id', 'service', 'category', 'severity', 'private', 'declared.at as declaredAt'])
    .where('declared.at', '>=', period.since)
    .where('declared.at', '<', period.until)
    .where('drill', '=', false)
    .where('status', 'not in', ['declined', 'merged'])
    .where((where) => where.not(where.and([where('private', '=', true), where('status', 'in', [...LIVE])])))
    .$if(service !== undefined, (query) => query.where('service', '=', service ?? ''))
    .orderBy('declared.at')
    .orderBy('incident.id')
    .execute();
  if (incidents.length === 0) return [];
  const rows = await db
    .selectFrom('milestone')
    .select(['incident_id', 'name', 'at'])
    .where(
      'incident_id',
      'in',
      incidents.map(({ id }) => id),
    )
    .execute();
  const of = Map.groupBy(rows, (row) => row.incident_id);
  return incidents.map((incident) => ({
    ...incident,
    milestones: (of.get(incident.id) ?? []).map(({ name, at }) => ({ name: name as MilestoneName, at })),
  }));
}

/** What became of the incidents that rules opened in the period, the rule with most false alarms first. */
export async function ruleRecords(db: Db, period: Period): Promise<RuleRecord[]> {
  const { service } = period;
  return db
    .selectFrom('incident')
    .select('rule')
    .select([
      sql<number>`count(*)`.as('opened'),
      sql<number>`count(*) filter (where status = 'declined')`.as('declined'),
    ])
    .where('rule', 'is not', null)
    .where('source', '=', 'rule')
    .where('drill', '=', false)
    .where('created_at', '>=', period.since)
    .where('created_at', '<', period.until)
    .$if(service !== undefined, (query) => query.where('service', '=', service ?? ''))
    .groupBy('rule')
    .orderBy('declined', 'desc')
    .orderBy('opened', 'desc')
    .orderBy('rule')
    .$narrowType<{ rule: string }>()
    .execute();
}
