import type { RehearsalConfig } from '../../config/rehearsal.ts';
import type { Tx } from '../../db/database.ts';
import { enqueue, type NewJob } from '../../db/jobs.ts';
import type { Incident } from '../../incident/incident.ts';
import { backupOf, type Candidate, candidateName, candidateWith } from '../../mitigation/candidate.ts';
import { wantedToServe } from '../../mitigation/ledger-component.ts';
import type { Step } from '../../mitigation/plan.ts';
import { askRehearsal, linkRehearsal, type Rehearsal } from '../../mitigation/rehearsal-store.ts';
import type { Flow } from '../flow.ts';
import { findKnownGood } from '../ledger/known-good.ts';
import { isRehearsed, servedNow } from './rehearsal-config.ts';

export const REHEARSE = 'rehearse';

function rehearseJob(incidentId: number, now: Date, isOpening: boolean): NewJob {
  return {
    kind: REHEARSE,
    payload: { incidentId, isOpening },
    runAt: now,
    ...(isOpening ? { dedupeKey: `rehearse:${incidentId}` } : {}),
  };
}

/** What is to be rehearsed as soon as the incident is open; none without an endpoint. */
export function rehearseAtOpening(flow: Pick<Flow, 'config'>, incident: Incident, now: Date): NewJob[] {
  return isRehearsed(flow, incident) ? [rehearseJob(incident.id, now, true)] : [];
}

/** Asks for what every incident has rehearsed, the likely cure first: the known-good state, the backup, what is served. */
export async function askCandidates(
  flow: Pick<Flow, 'db' | 'clock' | 'config'>,
  incident: Incident,
  { backup }: Pick<RehearsalConfig, 'backup'>,
): Promise<void> {
  const at = flow.clock.now();
  const current = await servedNow(flow, incident, at);
  const good = await findKnownGood(flow, incident);
  const wanted: [Rehearsal['role'], Candidate | null][] = [
    ['known-good', good === null ? null : candidateWith(current, wantedToServe(good.changed))],
    ['backup', backup === undefined ? null : backupOf(current, backup)],
    ['current', current],
  ];
  for (const [role, candidate] of wanted) {
    if (candidate === null) continue;
    const name = candidateName(candidate, current);
    await askRehearsal(flow.db, { incidentId: incident.id, candidate, role, name, at });
  }
}

/** The state that the plan would bring is rehearsed, unless it was already; the proposal never waits for it. */
export async function rehearsePlan(
  flow: Pick<Flow, 'config'>,
  tx: Tx,
  plan: { incident: Incident; mitigationId: number; steps: readonly Step[]; now: Date },
): Promise<void> {
  const { incident, mitigationId, steps, now } = plan;
  if (!isRehearsed(flow, incident)) return;
  const current = await servedNow({ db: tx }, incident, now);
  const candidate = candidateWith(current, steps);
  if (candidate === null) return;
  const name = candidateName(candidate, current);
  const asked = { incidentId: incident.id, candidate, role: 'proposed' as const, name, at: now };
  const { id, isNew } = await askRehearsal(tx, asked);
  await linkRehearsal(tx, mitigationId, id);
  if (isNew) await enqueue(tx, rehearseJob(incident.id, now, false));
}
