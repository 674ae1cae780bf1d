import { enqueue } from '../../db/jobs.ts';
import type { Incident } from '../../incident/incident.ts';
import { addToTimeline, lockLive } from '../../incident/incident-store.ts';
import { insertUpdate } from '../../incident/update-store.ts';
import { notice, refreshCard } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { expectUpdate, nextUpdateAt } from './update-clock.ts';

export interface Update {
  incident: Incident;
  by: string;
  /** What is known. */
  known: string;
  /** What is being done about it. */
  doing: string | null;
  /** When the next one comes; null: by the cadence of the severity. */
  nextAt: Date | null;
  /** Names the form or command, so that the same one delivered twice says it once. */
  origin: string;
}

export type Updated = { kind: 'ended' } | { kind: 'twice' } | { kind: 'posted'; nextAt: Date | null };

/** Tells everybody where it stands: in the room, on the card, on the timeline; the next one is due from now. */
export async function postUpdate(
  flow: Pick<Flow, 'db' | 'clock' | 'config'>,
  { incident, by, known, doing, nextAt: promised, origin }: Update,
): Promise<Updated> {
  const now = flow.clock.now();
  const { id: incidentId } = incident;
  const nextAt = promised ?? nextUpdateAt(flow, incident, now);
  return flow.db.transaction().execute(async (tx) => {
    if ((await lockLive(tx, incidentId)) === undefined) return { kind: 'ended' };
    if (!(await insertUpdate(tx, { incidentId, by, known, doing, nextAt, origin, at: now })))
      return { kind: 'twice' };
    const text = `Update: ${known}${doing === null ? '' : ` What we do: ${doing}`}`;
    await addToTimeline(tx, { incidentId, at: now, kind: 'update', actor: by, text });
    await expectUpdate(tx, { incidentId, dueAt: nextAt, now });
    const end = /[.!?…]$/.test(text) ? '' : '.';
    const next = nextAt === null ? '' : `${end} Next update at ${nextAt.toISOString().slice(11, 16)} UTC.`;
    await enqueue(tx, [
      notice(incidentId, now, { text: `${text}${next}`, aloud: true }),
      refreshCard(incidentId, now),
    ]);
    return { kind: 'posted', nextAt };
  });
}
