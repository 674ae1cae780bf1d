import { z } from 'zod';
import type { Db } from '../db/database.ts';

const changed = z.object({ steps: z.array(z.object({ setting: z.string(), to: z.unknown() })) });

/** A mitigation that was carried out or is being, with what it changes. */
export interface CarriedOut {
  id: number;
  incidentId: number | null;
  /** Of its incident. */
  isPrivate: boolean;
  proposedBy: string;
  /** When it was begun, and null until it is done, when it was applied. */
  startedAt: Date;
  appliedAt: Date | null;
  steps: { setting: string; to: unknown }[];
}

/** Those of a service that were begun at or after `since` and are under way or did change something, the newest first. */
export async function carriedOutSince(
  db: Db,
  of: { service: string; environment: string; since: Date },
): Promise<CarriedOut[]> {
  const rows = await db
    .selectFrom('mitigation')
    .leftJoin('incident', 'incident.id', 'mitigation.incident_id')
    .select(['mitigation.id', 'incident_id', 'proposed_by', 'started_at', 'applied_at', 'plan', 'private'])
    .where('mitigation.service', '=', of.service)
    .where('mitigation.environment', '=', of.environment)
    .where('started_at', '>=', of.since)
    .where((row) => row.or([row('applied_at', 'is not', null), row('mitigation.status', '=', 'running')]))
    .orderBy('started_at', 'desc')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    incidentId: row.incident_id,
    isPrivate: row.private ?? false,
    proposedBy: row.proposed_by,
    startedAt: row.started_at as Date,
    appliedAt: row.applied_at,
    steps: changed.parse(row.plan).steps,
  }));
}
