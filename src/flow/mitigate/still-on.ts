import type { Db } from '../../db/database.ts';
import { mitigationsOn } from '../../mitigation/lease-store.ts';
import type { Mitigation } from '../../mitigation/mitigation-store.ts';
import { parsePlan } from '../../mitigation/plan.ts';
import { describePlan } from '../../mitigation/shift.ts';

/** A mitigation that is in force: what, since when, whose it is and until when. */
export interface StillOn {
  mitigationId: number;
  incidentId: number | null;
  service: string;
  environment: string;
  what: string;
  status: Mitigation['status'];
  since: Date;
  owner: string | null;
  /** End of its lease; null: none, it is kept for good. */
  until: Date | null;
  kept: { by: string; reason: string } | null;
}

/** What is still on, oldest first: of one incident, of one service, or all. */
export async function stillOn(
  db: Db,
  about: { incidentId?: number; service?: string; environment?: string },
): Promise<StillOn[]> {
  return (await mitigationsOn(db, about)).map(stillOnOf);
}

export function stillOnOf(mitigation: Mitigation): StillOn {
  const { kept_by: by, kept_reason: reason } = mitigation;
  return {
    mitigationId: mitigation.id,
    incidentId: mitigation.incident_id,
    service: mitigation.service,
    environment: mitigation.environment,
    what: describePlan(parsePlan(mitigation.plan)),
    status: mitigation.status,
    since: mitigation.applied_at ?? mitigation.started_at ?? mitigation.proposed_at,
    owner: mitigation.lease_owner,
    until: mitigation.lease_until,
    kept: by === null || reason === null ? null : { by, reason },
  };
}

/** "mitigation 4 (disable the feature), mitigation 6 (…)", for a sentence; '' where nothing is on. */
export function namesOf(on: readonly StillOn[]): string {
  return on.map(({ mitigationId, what }) => `mitigation ${mitigationId} (${what})`).join(', ');
}

/** Policy: kept on purpose is what somebody gave a reason for, for good or until a time that has not come. */
export function isKept({ kept, until }: Pick<StillOn, 'kept' | 'until'>, now: Date): boolean {
  return kept !== null && (until === null || until > now);
}
