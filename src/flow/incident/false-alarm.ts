import { enqueue } from '../../db/jobs.ts';
import { digestOf } from '../../evidence/digest.ts';
import { type Incident, mayBecome, nameOf } from '../../incident/incident.ts';
import { addToTimeline, lockIncident } from '../../incident/incident-store.ts';
import { falseAlarmsOf, insertFalseAlarm } from '../../incident/release-store.ts';
import { audit } from '../../mitigation/audit-store.ts';
import { notice, refreshCard } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { approversOf } from '../mitigate/approvers.ts';
import { ownersOf } from '../mitigate/safety-release.ts';
import { type Ended, type Ending, end, notPossible } from './end-incident.ts';

export type FalseAlarm =
  | Ended
  | { kind: 'not-allowed'; who: string[] }
  /** It is recorded; `who` of the others may complete it. */
  | { kind: 'counted'; isNew: boolean; who: string[] };

/**
 * Policy: a safety incident is a false alarm when its service's owner (the engineering lead where there is none) and
 * one more who may approve say so; what one says is recorded and shown, and ends nothing.
 */
export async function declineSafety(
  flow: Pick<Flow, 'db' | 'clock' | 'config' | 'chat' | 'log' | 'pager'>,
  ending: Ending,
): Promise<FalseAlarm> {
  const { incident, by, reason } = ending;
  const { owners, all } = await whoMaySay(flow, incident.service);
  if (!all.includes(by)) return { kind: 'not-allowed', who: all };
  const now = flow.clock.now();
  return flow.db.transaction().execute(async (tx) => {
    const current = (await lockIncident(tx, incident.id)) ?? incident;
    if (!mayBecome(current.status, 'declined')) return notPossible(tx, incident);
    const isNew = await insertFalseAlarm(tx, { incidentId: incident.id, person: by, reason, at: now });
    const said = (await falseAlarmsOf(tx, incident.id)).map(({ person }) => person);
    const agreed = said.filter((person) => all.includes(person));
    const hasOwner = agreed.some((person) => owners.includes(person));
    if (hasOwner && agreed.length >= 2) return end(tx, { ...ending, now, to: 'declined' });
    const who = (hasOwner ? all : owners).filter((person) => !agreed.includes(person));
    if (!isNew) return { kind: 'counted', isNew, who };
    const text = `One of two says that it is a false alarm: ${reason}. ${hasOwner ? 'One more who may approve' : 'The service’s owner'} must agree.`;
    await addToTimeline(tx, { incidentId: incident.id, at: now, kind: 'false-alarm', actor: by, text });
    const subject = nameOf(incident.id);
    const data = { reasonDigest: digestOf(reason) };
    await audit(tx, { at: now, actor: by, action: 'incident.false-alarm', subject, data });
    await enqueue(tx, [notice(incident.id, now, { text }), refreshCard(incident.id, now)]);
    return { kind: 'counted', isNew, who };
  });
}

/** Where fewer than two may approve, the engineering lead may say it as well. */
async function whoMaySay(
  flow: Pick<Flow, 'config' | 'chat' | 'log' | 'pager'>,
  service: Incident['service'],
): Promise<{ owners: string[]; all: string[] }> {
  const owners = ownersOf(flow, service);
  const all = [...new Set([...owners, ...(await approversOf(flow, service))])];
  return {
    owners,
    all: all.length >= 2 ? all : [...new Set([...all, ...flow.config.contacts.engineering_lead])],
  };
}
