import type { Tx } from '../../db/database.ts';
import { enqueue, type Job } from '../../db/jobs.ts';
import { ExternalError } from '../../errors.ts';
import type { Incident } from '../../incident/incident.ts';
import { addToTimeline, findIncident } from '../../incident/incident-store.ts';
import {
  claimEvent,
  followTo,
  isOwnNote,
  notePagerState,
  type PagedIncident,
  type PagerAspect,
  pagerStatesOf,
} from '../../incident/pager-state-store.ts';
import { notice, refreshCard } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { acknowledge } from '../incident/acknowledge.ts';
import { slackIdOf } from './on-call.ts';
import type { PageEvent } from './page-event.ts';
import { concernedBy } from './page-event-subject.ts';
import {
  answerOf,
  MOVED,
  type PageActor,
  type Said,
  STATUS_AFTER,
  sentenceFor,
  wordsFor,
} from './page-event-text.ts';

/** Written down first; PagerDuty's own id of the event makes a second delivery of it the same one. */
export async function receivePageEvent(flow: Pick<Flow, 'db' | 'clock'>, event: PageEvent): Promise<void> {
  await enqueue(flow.db, {
    kind: 'take-page-event',
    payload: { event },
    runAt: flow.clock.now(),
    lane: `pagerduty:${event.pagerdutyId}`,
    dedupeKey: `pagerduty-event:${event.id}`,
  });
}

/** So often it is tried to find out who did it. */
const MOST_LOOKUPS = 4;

type Concerned = Omit<PagedIncident, 'incidentId'> & { incident: Incident };

/** What PagerDuty tells of an incident that was paged from here; all others are none of ours. */
export async function takePageEvent(flow: Flow, job: Job): Promise<void> {
  const event = job.payload['event'] as PageEvent;
  const concerned: Concerned[] = [];
  for (const { incidentId, purpose } of await concernedBy(flow, event)) {
    const incident = await findIncident(flow.db, incidentId);
    if (incident !== undefined) concerned.push({ incident, purpose });
  }
  const [first] = concerned;
  if (first === undefined) return;
  const { service } = first.incident;
  const actor = await actorOf(flow, event, { service, job });
  if (event.incident === null) return takeWords(flow, { concerned, event, actor });
  const newer = await newerStatus(flow, event);
  const taken = { concerned, event, actor };
  if (newer === null || STILL_TAKEN.includes(newer)) await acknowledgeHere(flow, taken);
  await takeChange(flow, { ...taken, isLate: newer !== null });
}

interface Taken {
  concerned: Concerned[];
  event: PageEvent;
  actor: PageActor | null;
}

/** Policy: whoever took it took it, also when PagerDuty tells of its resolution first. */
const STILL_TAKEN = ['acknowledged', 'resolved'];

/** The status that is known already when an event is older than that. */
async function newerStatus(flow: Flow, { pagerdutyId, at }: PageEvent): Promise<string | null> {
  const states = await pagerStatesOf(flow.db, pagerdutyId);
  const status = states.find(({ aspect }) => aspect === 'status');
  return status !== undefined && status.at > new Date(at) ? status.value : null;
}

/**
 * Policy: who acknowledges the page in PagerDuty is on it here as well. Not so the bot's own user: PagerDuty takes an
 * incident that is assigned to whoever opened it as acknowledged by them.
 */
async function acknowledgeHere(flow: Flow, { concerned, event, actor }: Taken): Promise<void> {
  if (event.type !== 'incident.acknowledged' || actor === null || actor.isSelf) return;
  for (const { incident, purpose } of concerned) {
    if (purpose === 'people') continue;
    await acknowledge(flow, { incident, by: actor.slackId ?? `${actor.name} (PagerDuty)` });
  }
}

/** Policy: what is told late changes what nothing newer is known of, and is put on record without a word in the room. */
async function takeChange(flow: Flow, taken: Taken & { isLate: boolean }): Promise<void> {
  const { concerned, event, actor, isLate } = taken;
  const { pagerdutyId } = event;
  const into = event.incident?.mergedInto ?? null;
  await flow.db.transaction().execute(async (tx) => {
    if (!(await claimEvent(tx, { ...event, at: flow.clock.now() }))) return;
    const isNews = (await keepStates(tx, event, actor)) || !isLate;
    if (into !== null) await followTo(tx, pagerdutyId, { pagerdutyId: into.id, url: into.url });
    for (const { incident, purpose } of concerned) {
      const said = sentenceFor(event, { actor, incident, purpose });
      if (said !== null && isNews)
        await record(flow, tx, { incident, actor, said: { ...said, aloud: said.aloud && !isLate } });
      await enqueue(tx, refreshCard(incident.id, flow.clock.now()));
    }
  });
}

/** Each aspect by its own age. True when the one that the event is about says something else now. */
async function keepStates(tx: Tx, event: PageEvent, actor: PageActor | null): Promise<boolean> {
  const { pagerdutyId, incident, type } = event;
  if (incident === null) return false;
  const about = { pagerdutyId, actor: actor?.name ?? null, at: new Date(event.at) };
  const keep = (aspect: PagerAspect, value: string) => notePagerState(tx, { ...about, aspect, value });
  const isStatus = await keep('status', STATUS_AFTER[type] ?? incident.status);
  const isPriority = await keep('priority', incident.priority ?? '');
  await keep('urgency', incident.urgency);
  const people = incident.assignees.join(', ') || 'nobody';
  if (MOVED[type] !== undefined) return keep('people', `${MOVED[type]} ${people}`);
  return type === 'incident.priority_updated' ? isPriority : isStatus;
}

/** Policy: who did it may be a name alone; an acknowledgement does not wait for Slack or for a scope that is missing. */
async function actorOf(
  flow: Flow,
  { agent }: PageEvent,
  { service, job }: { service: string | null; job: Job },
): Promise<PageActor | null> {
  if (agent === null) return null;
  const named: PageActor = { slackId: null, name: agent.name, isSelf: false };
  if (!agent.isPerson) return named;
  try {
    const pager = flow.pager?.of(service);
    const user = pager?.canAsk ? await pager.user(agent.id) : null;
    const self = pager?.canAsk ? await pager.self() : null;
    if (self?.id === agent.id) return { slackId: null, name: 'llm-incident', isSelf: true };
    const slackId = await slackIdOf(flow, user ?? { id: agent.id, email: null });
    return { slackId, name: user?.name ?? agent.name, isSelf: false };
  } catch (thrown) {
    if (!(thrown instanceof ExternalError)) throw thrown;
    if (thrown.retryable && job.attempts < MOST_LOOKUPS) throw thrown;
    return named;
  }
}

/** Policy: said once in the room; what was written into PagerDuty from here is no news. */
async function takeWords(flow: Flow, { concerned, event, actor }: Taken): Promise<void> {
  const { note, pagerdutyId } = event;
  const words = await wordsOf(flow, concerned[0]?.incident.service ?? null, event);
  if (words === null || (note !== null && (await isOwnNote(flow.db, { pagerdutyId, text: words })))) return;
  const said = { text: wordsFor(event, { words, actor }), aloud: true };
  await flow.db.transaction().execute(async (tx) => {
    if (!(await claimEvent(tx, { ...event, at: flow.clock.now() }))) return;
    for (const { incident } of concerned) await record(flow, tx, { incident, actor, said });
  });
}

async function wordsOf(flow: Flow, service: string | null, event: PageEvent): Promise<string | null> {
  const { note, responder, update, pagerdutyId } = event;
  if (responder !== null) return answerOf(responder);
  if (update !== null) return update;
  if (note === null) return null;
  if (!note.trimmed) return note.content;
  const pager = flow.pager?.of(service);
  const cut = `${note.content}…`;
  if (!pager?.canAsk) return cut;
  try {
    return (await pager.noteText(pagerdutyId, note.id)) ?? cut;
  } catch (thrown) {
    if (thrown instanceof ExternalError && !thrown.retryable) return cut;
    throw thrown;
  }
}

async function record(
  flow: Flow,
  tx: Tx,
  { incident, actor, said }: { incident: Incident; actor: PageActor | null; said: Said },
): Promise<void> {
  const now = flow.clock.now();
  const entry = { incidentId: incident.id, at: now, kind: 'pagerduty', text: said.text };
  await addToTimeline(tx, { ...entry, actor: actor?.slackId ?? null });
  if (said.aloud) await enqueue(tx, notice(incident.id, now, { text: said.text }));
}
