import { enqueue } from '../../db/jobs.ts';
import { type Incident, LIVE, nameOf, PRODUCTION } from '../../incident/incident.ts';
import { addToTimeline, lockLive } from '../../incident/incident-store.ts';
import { mirrorNote, reassignPage } from '../effects.ts';
import { type Flow, serviceConfig } from '../flow.ts';
import { nameOrId } from '../room/display-name.ts';
import { pagersOnCall, slackIdOf } from './on-call.ts';
import { IN_PAGERDUTY, summon } from './summon.ts';
import { openReceiptOf } from './tell-pager.ts';

interface ByHand {
  incident: Incident;
  by: string;
  /** Names the command, which does it once. */
  origin: string;
}

export type Called =
  | { kind: 'called'; people: string[]; names: string[] }
  | { kind: 'ended' | 'nobody' | 'yourself' | 'no-policy' };

/** Somebody calls people by name, or those who are on call at a level. Throws ExternalError when it cannot be asked who. */
export async function callPeople(
  flow: Flow,
  asked: ByHand & { people: readonly string[]; level: number | null; reason: string },
): Promise<Called> {
  const { incident, by, level } = asked;
  if (!LIVE.includes(incident.status)) return { kind: 'ended' };
  const found = level === null ? namesOf(asked.people) : await onLevel(flow, incident, level);
  if (found === null) return { kind: 'no-policy' };
  const others = found.filter(({ id }) => id !== by);
  if (others.length === 0) return found.length > 0 ? { kind: 'yourself' } : { kind: 'nobody' };
  const now = flow.clock.now();
  const reason = asked.reason === '' ? '' : ` ${asked.reason}`;
  const text = `${await nameOrId(flow, by)} calls you to ${nameOf(incident.id)}.${reason}`;
  const people = others.map(({ id }) => id);
  return flow.db.transaction().execute(async (tx) => {
    if ((await lockLive(tx, incident.id)) === undefined) return { kind: 'ended' };
    const summons = { incidentId: incident.id, people, text, key: `by-hand:${asked.origin}`, now };
    await summon(flow, tx, summons);
    const said = level === null ? 'Called people by name.' : `Called who is on call at level ${level}.`;
    await addToTimeline(tx, { incidentId: incident.id, at: now, kind: 'page', actor: by, text: said });
    return { kind: 'called', people, names: others.map(({ name }) => name) };
  });
}

const namesOf = (people: readonly string[]) => [...new Set(people)].map((id) => ({ id, name: id }));

/** People without a Slack user are called by PagerDuty alone. */
async function onLevel(
  flow: Flow,
  incident: Incident,
  level: number,
): Promise<{ id: string; name: string }[] | null> {
  const { service } = incident;
  const policy = serviceConfig(flow, service)?.pagerduty?.escalation_policy;
  if (policy === undefined) return null;
  const rows = await pagersOnCall(flow, { escalation_policy: policy, levels: [level], service });
  return Promise.all(
    rows.map(async (user) => ({
      id: (await slackIdOf(flow, user)) ?? `${IN_PAGERDUTY}${user.id}`,
      name: user.name,
    })),
  );
}

/** Hands the page over to these people. */
export async function handPageOver(
  flow: Flow,
  { incident, by, origin, people }: ByHand & { people: string[] },
): Promise<'handing' | 'ended' | 'no-page' | 'cannot'> {
  if (!LIVE.includes(incident.status)) return 'ended';
  if (flow.pager?.of(incident.service).canAsk !== true) return 'cannot';
  if ((await openReceiptOf(flow, incident.id)) === null) return 'no-page';
  await enqueue(flow.db, reassignPage({ incidentId: incident.id, people, by, origin }, flow.clock.now()));
  return 'handing';
}

/** Keeps a note, and writes it into PagerDuty as well, except for private incidents. True when it goes there. */
export async function noteByHand(
  flow: Flow,
  { incident, by, origin, text }: ByHand & { text: string },
): Promise<boolean> {
  const now = flow.clock.now();
  const isMirrored =
    !incident.private &&
    incident.environment === PRODUCTION &&
    flow.pager?.of(incident.service).canAsk === true &&
    (await openReceiptOf(flow, incident.id)) !== null;
  await flow.db.transaction().execute(async (tx) => {
    await addToTimeline(tx, { incidentId: incident.id, at: now, kind: 'note', actor: by, text });
    if (isMirrored) await enqueue(tx, mirrorNote({ incidentId: incident.id, text, by, origin }, now));
  });
  return isMirrored;
}
