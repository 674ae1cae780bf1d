import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import { type Incident, pagePlan } from '../../incident/incident.ts';
import { addToTimeline, moveStatus } from '../../incident/incident-store.ts';
import { pagesOf } from '../../incident/page-store.ts';
import { takeBackAll } from '../../incident/reopen-store.ts';
import { notice, refreshCard } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { restartLadder } from '../incident/contain-ladder.ts';
import { pageNow } from '../incident/open-incident.ts';
import { escalationsOf } from '../page/escalation.ts';
import { push } from '../room/push-effects.ts';

type Paging = Pick<Flow, 'config' | 'pager'>;

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
export async function joinIncident(flow: Paging, tx: Tx, joining: Joining): Promise<Incident> {
  const { incident, said, now } = joining;
  const text = incident.source === 'person' ? said : `${JOINED}${said}`;
  if (incident.status === 'mitigated') await reopen(flow, tx, joining);
  await addToTimeline(tx, { incidentId: incident.id, at: now, kind: 'signal', actor: null, text });
  await enqueue(tx, refreshCard(incident.id, now));
  return incident;
}

/**
 * What had recovered fires again. Policy: users meet it again, so it is neither contained nor mitigated, whoever said so;
 * its ladder starts over, and on-call who was paged is paged anew, unless it is the same trouble so soon (`isQuiet`).
 * Whoever is on it stays on it.
 */
async function reopen(
  flow: Paging,
  tx: Tx,
  { incident, said, isQuiet = false, now }: Joining,
): Promise<void> {
  const opened = await moveStatus(tx, { id: incident.id, from: ['mitigated'], to: 'open' });
  if (opened === undefined) return;
  await noteReopening(tx, opened, now);
  await restartLadder(flow, tx, { incident: opened, now });
  if (!isQuiet) await pageAnew(flow, tx, { incident: opened, now });
  const text = `It fires again: ${said}`;
  await enqueue(
    tx,
    isQuiet
      ? notice(incident.id, now, { text, aloud: true })
      : push(incident.id, now, { occasion: 'not-contained', text }),
  );
}

/** What was reached the first time stays on record. */
async function noteReopening(tx: Tx, { id: incidentId }: Incident, now: Date): Promise<void> {
  const taken = await takeBackAll(tx, incidentId, ['contained', 'mitigated']);
  const times = taken.map(({ name, at }) => `${name} at ${at.toISOString().slice(11, 16)} UTC`).join(', ');
  const text = times === '' ? 'Open again.' : `Open again. It was ${times}.`;
  await addToTimeline(tx, { incidentId, at: now, kind: 'reopened', actor: null, text });
}

/** A page that never left waits as its rule says. */
async function pageAnew(
  flow: Paging,
  tx: Tx,
  { incident, now }: { incident: Incident; now: Date },
): Promise<void> {
  const plan = pagePlan(incident, escalationsOf(flow, incident));
  if (plan.kind !== 'page') return;
  const wasPaged = (await pagesOf(tx, incident.id)).some((p) => p.purpose === 'page' && p.state === 'sent');
  if (plan.afterMs > 0 && !wasPaged) return;
  await pageNow(flow, tx, { incident, now, purpose: 'page', again: 'always' });
}
