import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { Category, IncidentStatus, NewRow, Row, Severity } from '../db/schema.ts';
import type { Interval } from '../sources/call.ts';
import { type Incident, LIVE, type MilestoneName, type Milestones } from './incident.ts';

export type NewIncident = Omit<
  NewRow<'incident'>,
  'channel_id' | 'channel_name' | 'commander' | 'scribe' | 'comms' | 'merged_into'
>;

/** Inserts the incident unless one with its key is live; then `opened` is false and the live one comes back. */
export async function openIncident(
  db: Db,
  incident: NewIncident,
): Promise<{ opened: boolean; incident: Incident }> {
  const inserted = await db
    .insertInto('incident')
    .values({ ...incident, channel_id: null, channel_name: null, commander: null })
    .onConflict((conflict) =>
      conflict
        .column('dedup_key')
        .where('status', 'in', [...LIVE])
        .doNothing(),
    )
    .returningAll()
    .executeTakeFirst();
  if (inserted !== undefined) return { opened: true, incident: inserted };
  const live = await db
    .selectFrom('incident')
    .selectAll()
    .where('dedup_key', '=', incident.dedup_key)
    .where('status', 'in', [...LIVE])
    .executeTakeFirstOrThrow();
  return { opened: false, incident: live };
}

export async function findIncident(db: Db, id: number): Promise<Incident | undefined> {
  return db.selectFrom('incident').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Reads it for a decision: concurrent decisions about it wait for this transaction. */
export async function lockIncident(tx: Db, id: number): Promise<Incident | undefined> {
  return tx.selectFrom('incident').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
}

/** Locks it while it is live; undefined once it has ended, whatever its reader saw before. */
export async function lockLive(tx: Db, id: number): Promise<Incident | undefined> {
  const incident = await lockIncident(tx, id);
  return incident !== undefined && LIVE.includes(incident.status) ? incident : undefined;
}

export async function findByChannel(db: Db, channelId: string): Promise<Incident | undefined> {
  return db.selectFrom('incident').selectAll().where('channel_id', '=', channelId).executeTakeFirst();
}

/** The oldest live incident about a service in a category, however it was opened; else the one that such a one went into. */
export async function findLiveAbout(
  db: Db,
  about: { service: string; environment: string; category: Category },
): Promise<Incident | undefined> {
  return db
    .selectFrom('incident')
    .selectAll()
    .where('status', 'in', [...LIVE])
    .where((where) => where.or([isAbout('incident', about), tookIn(about)]))
    .orderBy(isAbout('incident', about), 'desc')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
}

type About = { service: string; environment: string; category: Category };

const isAbout = (table: string, { service, environment, category }: About) =>
  sql<boolean>`(coalesce(${sql.ref(`${table}.service`)}, '') = ${service}
    and ${sql.ref(`${table}.environment`)} = ${environment} and ${sql.ref(`${table}.category`)} = ${category})`;

/** One about it was merged into this one. */
const tookIn = (about: About) =>
  sql<boolean>`exists (select 1 from incident gone where gone.merged_into = incident.id and ${isAbout('gone', about)})`;

export async function listLive(db: Db): Promise<Incident[]> {
  return db
    .selectFrom('incident')
    .selectAll()
    .where('status', 'in', [...LIVE])
    .orderBy('id')
    .execute();
}

/** Moves the status when it is still one of `from`; undefined when someone was first. */
export async function moveStatus(
  db: Db,
  move: { id: number; from: readonly IncidentStatus[]; to: IncidentStatus },
): Promise<Incident | undefined> {
  return db
    .updateTable('incident')
    .set({ status: move.to })
    .where('id', '=', move.id)
    .where('status', 'in', [...move.from])
    .returningAll()
    .executeTakeFirst();
}

/** Changes the severity; undefined when it is that already. */
export async function setSeverity(db: Db, id: number, severity: Severity): Promise<Incident | undefined> {
  return db
    .updateTable('incident')
    .set({ severity })
    .where('id', '=', id)
    .where('severity', '!=', severity)
    .returningAll()
    .executeTakeFirst();
}

/** True when nobody was before. */
export async function setRoom(
  db: Db,
  id: number,
  room: { channelId: string; channelName: string },
): Promise<void> {
  await db
    .updateTable('incident')
    .set({ channel_id: room.channelId, channel_name: room.channelName })
    .where('id', '=', id)
    .execute();
}

/** How the bot itself comes to know of a milestone. */
export const RECORDED_BY = { readBack: 'read-back of the target', proof: 'proof from live calls' } as const;

/** A milestone is reached once; later attempts do not move it. True when this was the first. */
export async function reach(
  db: Db,
  milestone: { incidentId: number; name: MilestoneName; at: Date; recordedAt: Date; by: string },
): Promise<boolean> {
  const row = await db
    .insertInto('milestone')
    .values({
      incident_id: milestone.incidentId,
      name: milestone.name,
      at: milestone.at,
      recorded_at: milestone.recordedAt,
      recorded_by: milestone.by,
    })
    .onConflict((conflict) => conflict.columns(['incident_id', 'name']).doNothing())
    .returning('name')
    .executeTakeFirst();
  return row !== undefined;
}

/** Takes back what the bot itself took for reached and was not; what a person said stands. True when it did. */
export async function takeBack(
  db: Db,
  incidentId: number,
  names: readonly MilestoneName[],
): Promise<boolean> {
  const rows = await db
    .deleteFrom('milestone')
    .where('incident_id', '=', incidentId)
    .where('name', 'in', [...names])
    .where('recorded_by', 'in', Object.values(RECORDED_BY))
    .returning('name')
    .execute();
  return rows.length > 0;
}

export async function milestonesOf(db: Db, incidentId: number): Promise<Milestones> {
  const rows = await db.selectFrom('milestone').selectAll().where('incident_id', '=', incidentId).execute();
  return Object.fromEntries(rows.map((row) => [row.name, row.at]));
}

export interface TroubledTime {
  service: string;
  environment: string;
  from: Date;
  to: Date;
}

/** Times of incidents, from (estimated) start to mitigation, to be left out of baselines; of all services. */
export async function allTroubledTimes(
  db: Db,
  { since, now }: { since: Date; now: Date },
): Promise<TroubledTime[]> {
  const at = (names: MilestoneName[]) =>
    sql<Date | null>`min(at) filter (where name in (${sql.join(names)}))`;
  const rows = await db
    .selectFrom('incident')
    .innerJoin('milestone', 'milestone.incident_id', 'incident.id')
    .select(['service', 'environment'])
    .select([at(['started', 'declared']).as('from'), at(['mitigated', 'resolved']).as('to')])
    .where('status', 'not in', ['declined', 'merged'])
    .groupBy(['incident.id', 'service', 'environment'])
    .orderBy('incident.id')
    .execute();
  return rows.flatMap(({ service, environment, from, to }) =>
    service === null || (to ?? now) < since
      ? []
      : [{ service, environment, from: from ?? now, to: to ?? now }],
  );
}

/** Those of one service. */
export async function troubledTimes(
  db: Db,
  about: { service: string; environment: string; since: Date; now: Date },
): Promise<Interval[]> {
  const all = await allTroubledTimes(db, about);
  return all
    .filter((time) => time.service === about.service && time.environment === about.environment)
    .map(({ from, to }) => ({ from, to }));
}

export interface TimelineEntry {
  incidentId: number;
  at: Date;
  kind: string;
  actor: string | null;
  text: string;
  data?: Record<string, unknown>;
}

export async function addToTimeline(db: Db, entry: TimelineEntry): Promise<void> {
  await db
    .insertInto('incident_event')
    .values({
      incident_id: entry.incidentId,
      at: entry.at,
      kind: entry.kind,
      actor: entry.actor,
      text: entry.text,
      data: JSON.stringify(entry.data ?? {}),
    })
    .execute();
}

export async function timelineOf(db: Db, incidentId: number): Promise<Row<'incident_event'>[]> {
  return db
    .selectFrom('incident_event')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .orderBy('at')
    .orderBy('id')
    .execute();
}
