import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { Signature } from './recurrence.ts';

export interface PastIncident extends Signature {
  id: number;
  title: string;
  private: boolean;
  declaredAt: Date;
}

const SUSPECTS = 3;
/** Those before are too old to tell of the service as it is. */
const REMEMBERED = 500;

/** The signature of an incident as it was frozen at declaration. */
export async function signatureOf(db: Db, incidentId: number): Promise<Signature | undefined> {
  return (await signatures(db).where('incident.id', '=', incidentId).execute())[0];
}

/** The newest 500 that were one and are over, before `incidentId`, oldest first; no drills. */
export async function pastIncidents(db: Db, { before }: { before: number }): Promise<PastIncident[]> {
  const found = await signatures(db)
    .select(['incident.id', 'title', 'private', 'incident.created_at as declaredAt'])
    .where('incident.id', '<', before)
    .where('status', 'in', ['resolved', 'closed'])
    .where('drill', '=', false)
    .orderBy('incident.id', 'desc')
    .limit(REMEMBERED)
    .execute();
  return found.toReversed();
}

function signatures(db: Db) {
  return db
    .selectFrom('incident')
    .leftJoin('evidence', (join) =>
      join.onRef('evidence.incident_id', '=', 'incident.id').on('evidence.kind', '=', 'changes'),
    )
    .select(['service', 'category', 'rule'])
    .select(
      sql<string[]>`coalesce((select array_agg(suspect ->> 'component' order by place)
        from jsonb_array_elements(evidence.data -> 'suspects') with ordinality as listed(suspect, place)
        where place <= ${SUSPECTS}), '{}')`.as('changed'),
    );
}
