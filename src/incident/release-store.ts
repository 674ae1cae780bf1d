import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import type { Incident } from './incident.ts';

/** What caused an incident, and who signed it off; sign-offs belong to the root cause that they were given for. */
export interface RecordedRelease {
  rootCause: Row<'root_cause'> | null;
  signOffs: Row<'sign_off'>[];
}

/** Safety incidents of a service that were one: live, resolved or closed, oldest first. */
export async function safetyIncidentsOf(
  db: Db,
  about: { service: string; environment: string },
): Promise<Incident[]> {
  return db
    .selectFrom('incident')
    .selectAll()
    .where('category', '=', 'safety')
    .where('service', '=', about.service)
    .where('environment', '=', about.environment)
    .where('status', 'not in', ['declined', 'merged'])
    .orderBy('id')
    .execute();
}

/** The newest root cause with its sign-offs: a changed root cause has none yet. */
export async function releaseOf(db: Db, incidentId: number): Promise<RecordedRelease> {
  const rootCause = await db
    .selectFrom('root_cause')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (rootCause === undefined) return { rootCause: null, signOffs: [] };
  const signOffs = await db
    .selectFrom('sign_off')
    .selectAll()
    .where('root_cause_id', '=', rootCause.id)
    .orderBy('at')
    .orderBy('person')
    .execute();
  return { rootCause, signOffs };
}

export async function insertRootCause(
  tx: Db,
  said: { incidentId: number; cause: string; by: string; at: Date },
): Promise<number> {
  const { id } = await tx
    .insertInto('root_cause')
    .values({ incident_id: said.incidentId, cause: said.cause, said_by: said.by, at: said.at })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** False when this person has signed this root cause off before; what was signed before `since` is signed again. */
export async function insertSignOff(
  tx: Db,
  signed: { rootCauseId: number; person: string; note: string | null; at: Date; since: Date | null },
): Promise<boolean> {
  const { rootCauseId, since, ...rest } = signed;
  const row = await tx
    .insertInto('sign_off')
    .values({ root_cause_id: rootCauseId, ...rest })
    .onConflict((conflict) => {
      const twice = conflict.columns(['root_cause_id', 'person']);
      if (since === null) return twice.doNothing();
      return twice.doUpdateSet({ note: rest.note, at: rest.at }).where('sign_off.at', '<', since);
    })
    .returning('person')
    .executeTakeFirst();
  return row !== undefined;
}

/** Keeps that this person says so; who says it again is one person. */
export async function insertFalseAlarm(
  tx: Db,
  said: { incidentId: number; person: string; reason: string; at: Date },
): Promise<boolean> {
  const { incidentId, ...rest } = said;
  const row = await tx
    .insertInto('false_alarm')
    .values({ incident_id: incidentId, ...rest })
    .onConflict((conflict) => conflict.columns(['incident_id', 'person']).doNothing())
    .returning('person')
    .executeTakeFirst();
  return row !== undefined;
}

/** Who said that it is a false alarm, first to last. */
export async function falseAlarmsOf(db: Db, incidentId: number): Promise<Row<'false_alarm'>[]> {
  return db
    .selectFrom('false_alarm')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .orderBy('at')
    .orderBy('person')
    .execute();
}
