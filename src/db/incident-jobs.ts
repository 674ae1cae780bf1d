import { sql } from 'kysely';
import type { Db } from './database.ts';
import type { Row } from './schema.ts';

/** What became of the jobs of one kind for an incident that were due since then. */
export async function jobsOfIncident(
  db: Db,
  { incidentId, kind, since }: { incidentId: number; kind: string; since: Date },
): Promise<Pick<Row<'job'>, 'state'>[]> {
  return db
    .selectFrom('job')
    .select('state')
    .where('kind', '=', kind)
    .where('run_at', '>=', since)
    .where(sql<boolean>`(payload ->> 'incidentId')::int = ${incidentId}`)
    .execute();
}
