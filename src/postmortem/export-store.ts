import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import type { ActionLink } from './exporters/exporter.ts';

export type IncidentExport = Row<'incident_export'>;

interface Which {
  readonly incidentId: number;
  readonly exporter: string;
}

export async function exportsOf(db: Db, incidentId: number): Promise<IncidentExport[]> {
  return db
    .selectFrom('incident_export')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .orderBy('exporter')
    .execute();
}

/** It went well. Returns what was known before: whether it had failed, and whether people were told. */
export async function noteExported(
  tx: Db,
  { incidentId, exporter, receipt, url, at }: Which & { receipt: string; url: string | null; at: Date },
): Promise<IncidentExport | undefined> {
  const before = await lockExport(tx, { incidentId, exporter });
  const values = {
    ...{ exported_at: at, receipt, url: url ?? before?.url ?? null },
    ...{ problem: null, failing_since: null, told_at: null },
  };
  await tx
    .insertInto('incident_export')
    .values({ incident_id: incidentId, exporter, ...values })
    .onConflict((conflict) => conflict.columns(['incident_id', 'exporter']).doUpdateSet(values))
    .execute();
  return before;
}

/** Something is in the way. True where people must be told of it now: once while it lasts. */
export async function noteExportProblem(
  tx: Db,
  {
    incidentId,
    exporter,
    problem,
    isToBeTold,
    at,
  }: Which & { problem: string; isToBeTold: boolean; at: Date },
): Promise<boolean> {
  const before = await lockExport(tx, { incidentId, exporter });
  const isTold = before?.told_at != null;
  const values = {
    problem,
    failing_since: before?.failing_since ?? at,
    told_at: before?.told_at ?? (isToBeTold ? at : null),
  };
  const untouched = { exported_at: null, receipt: null, url: null };
  await tx
    .insertInto('incident_export')
    .values({ incident_id: incidentId, exporter, ...untouched, ...values })
    .onConflict((conflict) => conflict.columns(['incident_id', 'exporter']).doUpdateSet(values))
    .execute();
  return isToBeTold && !isTold;
}

async function lockExport(tx: Db, { incidentId, exporter }: Which): Promise<IncidentExport | undefined> {
  return tx
    .selectFrom('incident_export')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .where('exporter', '=', exporter)
    .forUpdate()
    .executeTakeFirst();
}

/** Keeps where action items stand; returns those that were not known to be there. */
export async function keepActionLinks(
  tx: Db,
  { exporter, links }: { exporter: string; links: readonly ActionLink[] },
): Promise<ActionLink[]> {
  const fresh: ActionLink[] = [];
  for (const link of links) {
    const row = await tx
      .insertInto('action_link')
      .values({ event_id: link.action, exporter, url: link.url, label: link.label })
      .onConflict((conflict) => conflict.columns(['event_id', 'exporter']).doNothing())
      .returning('event_id')
      .executeTakeFirst();
    if (row !== undefined) fresh.push(link);
  }
  return fresh;
}

/** The links of an incident's action items, by the id of the item. */
export async function actionLinksOf(
  db: Db,
  incidentId: number,
): Promise<ReadonlyMap<number, { url: string; label: string; exporter: string }>> {
  const rows = await db
    .selectFrom('action_link')
    .innerJoin('incident_event', 'incident_event.id', 'action_link.event_id')
    .select(['action_link.event_id', 'action_link.url', 'action_link.label', 'action_link.exporter'])
    .where('incident_event.incident_id', '=', incidentId)
    .execute();
  return new Map(rows.map(({ event_id, ...link }) => [event_id, link]));
}
