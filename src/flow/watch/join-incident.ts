import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import type { Incident } from '../../incident/incident.ts';
import { addToTimeline, moveStatus, takeBack } from '../../incident/incident-store.ts';
import { notice, refreshCard } from '../effects.ts';
import { push } from '../room/push-effects.ts';

export interface Joining {
  incident: Incident;
  /** What fires, in one line with its numbers. */
  said: string;
  /** The same trouble again, so soon that no phone is pushed. */
  isQuiet?: boolean;
  now: Date;
}

/** How the timeline begins to tell of a further signal. */
export const JOINED = 'Also firing: ';

/** What fires belongs to an incident that is live already; one that was mitigated is open again. */
export async function joinIncident(tx: Tx, joining: Joining): Promise<Incident> {
  const { incident, said, now } = joining;
  const text = incident.source === 'person' ? said : `${JOINED}${said}`;
  if (incident.status === 'mitigated') await reopen(tx, joining);
  await addToTimeline(tx, { incidentId: incident.id, at: now, kind: 'signal', actor: null, text });
  await enqueue(tx, refreshCard(incident.id, now));
  return incident;
}

/** What had recovered fires again: users meet it again, and the incident is open until it is mitigated anew. */
async function reopen(tx: Tx, { incident, said, isQuiet = false, now }: Joining): Promise<void> {
  await takeBack(tx, incident.id, ['contained', 'mitigated']);
  await moveStatus(tx, { id: incident.id, from: ['mitigated'], to: 'open' });
  const text = `It fires again: ${said}`;
  await enqueue(
    tx,
    isQuiet
      ? notice(incident.id, now, { text, aloud: true })
      : push(incident.id, now, { occasion: 'not-contained', text }),
  );
}
