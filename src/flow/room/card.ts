import type { Row } from '../../db/schema.ts';
import { evidenceOf } from '../../evidence/evidence-store.ts';
import type { Suspect } from '../../evidence/what-changed.ts';
import { clocksOf } from '../../incident/clock-store.ts';
import { type Incident, LIVE } from '../../incident/incident.ts';
import { findIncident, milestonesOf, timelineOf } from '../../incident/incident-store.ts';
import { pagesOf } from '../../incident/page-store.ts';
import { falseAlarmsOf } from '../../incident/release-store.ts';
import { latestUpdate } from '../../incident/update-store.ts';
import { type Mitigation, mitigationsOf } from '../../mitigation/mitigation-store.ts';
import { parsePlan } from '../../mitigation/plan.ts';
import { describePlan } from '../../mitigation/shift.ts';
import type { Flow } from '../flow.ts';
import { dutyState } from '../learn/duty-state.ts';
import { namedActor } from '../ledger/describe-serving.ts';
import type { KnownGood } from '../ledger/known-good.ts';
import { standingNow } from '../mitigate/approvers.ts';
import { knownGoodRehearsal } from '../mitigate/rehearsal-views.ts';
import { stillOn } from '../mitigate/still-on.ts';
import { pagedLine } from '../page/paged-line.ts';
import { stakeholdersOn } from '../stakeholders/show-ask.ts';
import { JOINED } from '../watch/join-incident.ts';
import { affectedText } from './affected-share.ts';
import { answersByFallback, choicesOn, measuredOn } from './card-choices.ts';
import type { CardAction, IncidentCard } from './incident-card.ts';

type Looked = Pick<Flow, 'db' | 'clock' | 'config' | 'targetFor' | 'chat' | 'log'>;

/** The card as the rows are now: it is edited in place and always true. */
export async function loadCard(flow: Looked, incidentId: number): Promise<IncidentCard> {
  const incident = await findIncident(flow.db, incidentId);
  if (incident === undefined) throw new Error(`incident ${incidentId} does not exist`);
  const milestones = await milestonesOf(flow.db, incidentId);
  const timeline = await timelineOf(flow.db, incidentId);
  const clocks = await clocksOf(flow.db, incidentId);
  const measured = await measuredOn(flow, incident, timeline);
  const { knownGood } = measured;
  const containing = clocks.find((clock) => clock.kind === 'contain');
  return {
    incidentId,
    title: incident.title,
    category: incident.category,
    severity: incident.severity,
    status: incident.status,
    service: incident.service,
    environment: incident.environment,
    private: incident.private,
    drill: incident.drill,
    startedAt: milestones.started ?? null,
    declaredAt: milestones.declared ?? incident.created_at,
    containedAt: milestones.contained ?? null,
    mitigatedAt: milestones.mitigated ?? null,
    resolvedAt: milestones.resolved ?? null,
    now: flow.clock.now(),
    signal: signalText(timeline, await affectedText(flow, incident)),
    likely: await likelyCause(flow, incidentId),
    knownGood: knownGood === null ? null : await knownGoodText(flow, incident, knownGood),
    paged: await pagedLine(flow, incident),
    awaitsAnswer: milestones.acknowledged === undefined && (await wasPaged(flow, incident)),
    acknowledgedBy: timeline.find((entry) => entry.kind === 'acknowledged')?.actor ?? null,
    containBy: milestones.contained === undefined ? (containing?.due_at ?? null) : null,
    ...(await mitigationsOn(flow, incident)),
    falseAlarm: LIVE.includes(incident.status)
      ? (await falseAlarmsOf(flow.db, incidentId)).map(({ person }) => person)
      : [],
    stakeholders: await stakeholdersOn(flow, incidentId),
    ...(await peopleOn(flow, incident)),
    ...(await postmortemOn(flow, incident)),
    atOnce: atOnceFor(flow, incident),
    ...choicesOn(flow, incident, { ...measured, timeline }),
    actions: actionsFor(flow, incident, {
      isAcknowledged: milestones.acknowledged !== undefined,
      servesKnownGood: knownGood?.name === '' || (await answersByFallback(flow.db, incidentId)),
    }),
  };
}

/** "prompt answer v13 (fixes 18 of 20, breaks 0 of 20)". */
async function knownGoodText(flow: Looked, incident: Incident, good: KnownGood): Promise<string> {
  const name = good.name || 'what is served now';
  const rehearsed = await knownGoodRehearsal(flow, incident, good);
  return rehearsed === null ? name : `${name} (${rehearsed})`;
}

const SHOWN_ALSO = 2;

/** What fired first, with the share of requests that it touched, and the newest of what joined it: a severity that rose has its reason on the card. */
function signalText(timeline: readonly Row<'incident_event'>[], share: string | null): string | null {
  const signals = timeline.filter((entry) => entry.kind === 'signal').map((entry) => entry.text);
  const [first] = signals;
  if (first === undefined) return null;
  const joined = signals.filter((text) => text.startsWith(JOINED)).map(shortly);
  const also = [...new Set(joined)].slice(-SHOWN_ALSO).join('; ');
  return [share === null ? first : `${first}; ${share}`, ...(also === '' ? [] : [`${JOINED}${also}`])].join(
    ' · ',
  );
}

/** "Output drift 0.66": what the number rests on is on the timeline, for the card is one phone screen. */
const shortly = (joined: string) => joined.slice(JOINED.length).replace(/ \(.*/s, '');

/** The change that is closest to the onset and not after it, as it was frozen at declaration. */
async function likelyCause(flow: Looked, incidentId: number): Promise<string | null> {
  const { changes } = await evidenceOf(flow.db, incidentId);
  const first = ((changes?.data['suspects'] ?? []) as Suspect[])[0];
  if (first === undefined) return null;
  const { change = first.sentence, actor, at } = first;
  const who = actor === null ? [] : [await namedActor(flow, actor)];
  return `${change} (${[...who, `${String(at).slice(11, 16)} UTC`].join(', ')})`;
}

async function wasPaged(flow: Looked, { id, status }: Incident): Promise<boolean> {
  if (!LIVE.includes(status)) return false;
  return (await pagesOf(flow.db, id)).some(({ purpose, state }) => purpose === 'page' && state === 'sent');
}

/** What is on with its lease; apart from it, what waits and what became of the others. */
async function mitigationsOn(
  flow: Pick<Flow, 'db'>,
  { id }: Incident,
): Promise<Pick<IncidentCard, 'mitigations' | 'stillOn'>> {
  const on = await stillOn(flow.db, { incidentId: id });
  const isOn = (mitigation: Mitigation) => on.some(({ mitigationId }) => mitigationId === mitigation.id);
  const others = (await mitigationsOf(flow.db, id)).filter((one) => !isOn(one));
  return {
    mitigations: others.map(describeMitigation),
    stillOn: on.map(({ what, status, since, owner, until, kept }) => ({
      what: `${what}: ${status}`,
      since,
      owner,
      until,
      kept: kept?.reason ?? null,
    })),
  };
}

function describeMitigation(mitigation: Mitigation): string {
  const what = describePlan(parsePlan(mitigation.plan));
  return mitigation.status === 'proposed' ? `${what}: waits for approval` : `${what}: ${mitigation.status}`;
}

/** What the standing approvals of the service cover. */
function atOnceFor(flow: Looked, { service, environment }: Incident): CardAction[] {
  const names = service === null ? [] : standingNow(flow, { service, environment }).map(({ what }) => what);
  return [
    ...(names.includes('known-good') ? ['propose' as const] : []),
    ...(names.includes('disable') ? ['contain' as const] : []),
  ];
}

/** One obvious next step first; what is over offers nothing. */
function actionsFor(
  flow: Looked,
  incident: Incident,
  seen: { isAcknowledged: boolean; servesKnownGood: boolean },
): CardAction[] {
  if (!LIVE.includes(incident.status)) return [];
  const { service, environment } = incident;
  const hasTarget = service !== null && flow.targetFor({ service, environment }) !== null;
  const isContained = incident.status === 'contained' || incident.status === 'mitigated';
  const wanted: [CardAction, boolean][] = [
    ['propose', hasTarget && !seen.servesKnownGood && incident.status !== 'mitigated'],
    ['contain', !isContained],
    ['acknowledge', !seen.isAcknowledged],
    ['false_alarm', !isContained],
    ['resolve', isContained],
  ];
  return wanted.filter(([, isOffered]) => isOffered).map(([action]) => action);
}

/** Where its post-mortem stands, once it is resolved. */
async function postmortemOn(
  flow: Pick<Flow, 'db' | 'config'>,
  incident: Incident,
): Promise<Pick<IncidentCard, 'missing' | 'postmortem'>> {
  if (incident.status !== 'resolved' && incident.status !== 'closed')
    return { missing: [], postmortem: null };
  const { duty, left, signed, unsigned } = await dutyState(flow, flow.db, incident);
  if (duty === undefined) return { missing: left, postmortem: null };
  const signedBy = signed.map(({ by }) => by);
  const { due_at: dueAt, owner } = duty;
  return { missing: left, postmortem: { dueAt, owner, signedBy, isSigned: unsigned.length === 0 } };
}

/** Who does what, and what they told the others last. */
async function peopleOn(
  flow: Pick<Flow, 'db'>,
  { id, commander, scribe, comms }: Incident,
): Promise<Pick<IncidentCard, 'roles' | 'lastUpdate'>> {
  const last = await latestUpdate(flow.db, id);
  const roles = { commander, scribe, comms };
  if (last === undefined) return { roles, lastUpdate: null };
  const text = last.doing === null ? last.known : `${last.known} What we do: ${last.doing}`;
  return { roles, lastUpdate: { by: last.said_by, at: last.at, text, nextAt: last.next_at } };
}
