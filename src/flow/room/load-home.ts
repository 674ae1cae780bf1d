import type { Db } from '../../db/database.ts';
import { categoryOf } from '../../detection/rule.ts';
import { ExternalError, messageOf } from '../../errors.ts';
import { type Incident, LIVE, type MilestoneName } from '../../incident/incident.ts';
import { listLive } from '../../incident/incident-store.ts';
import { approversOn } from '../../mitigation/approval.ts';
import { neededFor } from '../../mitigation/approval-class.ts';
import { mitigationsIn, votesOn } from '../../mitigation/mitigation-store.ts';
import { parsePlan } from '../../mitigation/plan.ts';
import { describePlan } from '../../mitigation/shift.ts';
import { openDuties } from '../../postmortem/duty-store.ts';
import { type Flow, serviceConfig } from '../flow.ts';
import { electorateOf } from '../mitigate/approvers.ts';
import { stillOn } from '../mitigate/still-on.ts';
import { peopleOf } from '../stakeholders/contacts.ts';
import { type WatchStatus, watchStatus } from '../watch/watch-status.ts';
import type { HomeClock, HomeIncident, HomeService, HomeState } from './home.ts';

type Ask = HomeState['asks'][number];

/** Everything that App Home shows to somebody, read once for all who look. */
export async function loadHomeState(flow: Flow): Promise<HomeState> {
  const live = await listLive(flow.db);
  const rooms = new Map(live.map(({ id, channel_id }) => [id, channel_id]));
  const watch = await watchStatus(flow);
  const asks = [
    ...(await approvals(flow, live)),
    ...(await acknowledgements(flow, live)),
    ...(await stakeholderAsks(flow, rooms)),
    ...(await actionItems(flow.db)),
    ...(await leases(flow.db, rooms)),
    ...(await postmortems(flow.db)),
  ];
  const speaking = watch.signals.filter(({ rule }) => categoryOf(rule) !== 'safety');
  const warnings = speaking.filter(
    (signal) => signal.warning && signal.state === 'firing' && !live.some((one) => isAbout(one, signal)),
  );
  return {
    incidents: live.map(incidentOf),
    asks,
    clocks: await clocks(flow.db, rooms),
    services: services(flow, live, { ...watch, signals: speaking }),
    warnings: warnings.map(({ service, rule, since }) => ({ service, rule, since })),
  };
}

/** Once its incident is open, an early warning says nothing new. */
const isAbout = (incident: Incident, signal: WatchStatus['signals'][number]) =>
  incident.service === signal.service &&
  incident.environment === signal.environment &&
  incident.category === categoryOf(signal.rule);

function incidentOf(incident: Incident): HomeIncident {
  const { id, title, severity, category, status, service, environment, drill } = incident;
  const about = { id, title, severity, category, status, service, environment, drill };
  return { ...about, channelId: incident.channel_id, since: incident.created_at, private: incident.private };
}

/** Open proposals, each for those whose approval would still count. */
async function approvals(flow: Flow, live: readonly Incident[]): Promise<Ask[]> {
  const asks: Ask[] = [];
  for (const one of await mitigationsIn(flow.db, ['proposed'])) {
    if (one.expires_at <= flow.clock.now()) continue;
    const incident = live.find(({ id }) => id === one.incident_id);
    if (incident === undefined) continue;
    const plan = parsePlan(one.plan);
    try {
      const { mayApprove, standing } = await electorateOf(flow, one, { incident, alone: false });
      const needed = neededFor(plan, standing);
      const done = approversOn(one, await votesOn(flow.db, one.id), { needed, mayApprove });
      const isOut = (id: string) => done.includes(id) || (needed.standing === null && id === one.proposed_by);
      asks.push({
        kind: 'approve',
        incidentId: incident.id,
        channelId: incident.channel_id,
        text: describePlan(plan),
        dueAt: one.expires_at,
        people: mayApprove.filter((id) => !isOut(id)),
      });
    } catch (thrown) {
      if (!(thrown instanceof ExternalError)) throw thrown;
      flow.log.info({ mitigation: one.id, error: messageOf(thrown) }, 'who may approve could not be read');
    }
  }
  return asks;
}

/** Incidents that nobody is on, for the owner of the service. */
async function acknowledgements(flow: Flow, live: readonly Incident[]): Promise<Ask[]> {
  const taken = new Set(await reached(flow.db, 'acknowledged'));
  return live
    .filter(({ id, status }) => !taken.has(id) && (status === 'triage' || status === 'open'))
    .map((incident) => ({
      kind: 'acknowledge' as const,
      incidentId: incident.id,
      channelId: incident.channel_id,
      text: incident.title,
      dueAt: null,
      people: [serviceConfig(flow, incident.service)?.owner ?? '', incident.commander ?? ''],
    }));
}

async function reached(db: Db, name: MilestoneName): Promise<number[]> {
  const rows = await db
    .selectFrom('milestone')
    .innerJoin('incident', 'incident.id', 'milestone.incident_id')
    .select('incident_id')
    .where('name', '=', name)
    .where('status', 'in', [...LIVE])
    .execute();
  return rows.map(({ incident_id }) => incident_id);
}

/** What legal, compliance, comms and product must acknowledge. */
async function stakeholderAsks(flow: Flow, rooms: ReadonlyMap<number, string | null>): Promise<Ask[]> {
  const rows = await flow.db
    .selectFrom('stakeholder_ask')
    .selectAll()
    .where('acknowledged_at', 'is', null)
    .where('incident_id', 'in', [-1, ...rooms.keys()])
    .execute();
  const asks = rows.map(async (row) => ({
    kind: 'acknowledge' as const,
    incidentId: row.incident_id,
    channelId: rooms.get(row.incident_id) ?? null,
    text: `for ${row.role}`,
    dueAt: row.due_at,
    people: await peopleOf(flow, row.contacts),
  }));
  return Promise.all(asks);
}

/** Action items of incidents that are not closed, each for its owner. */
async function actionItems(db: Db): Promise<Ask[]> {
  const rows = await db
    .selectFrom('incident_event')
    .innerJoin('incident', 'incident.id', 'incident_event.incident_id')
    .select([
      'incident_event.incident_id',
      'incident_event.text',
      'incident_event.data',
      'incident.channel_id',
    ])
    .where('incident_event.kind', '=', 'action-item')
    .where('incident.status', 'not in', ['closed', 'declined', 'merged'])
    .where('incident.private', '=', false)
    .execute();
  return rows.map(({ incident_id: incidentId, channel_id: channelId, text, data }) => ({
    kind: 'action' as const,
    incidentId,
    channelId,
    text,
    dueAt: typeof data['dueAt'] === 'string' ? new Date(data['dueAt']) : null,
    people: [String(data['owner'])],
  }));
}

/** What is on, for whoever owns it, unless it is kept for good. */
async function leases(db: Db, rooms: ReadonlyMap<number, string | null>): Promise<Ask[]> {
  const on = (await stillOn(db, {})).filter(({ owner, until }) => owner !== null && until !== null);
  return on.map((one) => ({
    kind: 'lease' as const,
    incidentId: one.incidentId,
    channelId: one.incidentId === null ? null : (rooms.get(one.incidentId) ?? null),
    text: `${one.service}: ${one.what}`,
    dueAt: one.until,
    people: [one.owner as string],
  }));
}

/** Post-mortems of incidents that are not closed, each for its owner. Policy: of a private one its owner sees the number. */
async function postmortems(db: Db): Promise<Ask[]> {
  const open = (await openDuties(db)).filter(({ owner }) => owner !== null);
  return open.map((one) => ({
    kind: 'postmortem' as const,
    incidentId: one.incident_id,
    channelId: one.channel_id,
    text: one.private ? 'private' : one.title,
    dueAt: one.due_at,
    people: [one.owner as string],
  }));
}

const CLOCKS = new Map<string, string>([
  ['acknowledge', 'somebody must take it'],
  ['contain', 'contain'],
  ['update', 'update due'],
]);

async function clocks(db: Db, rooms: ReadonlyMap<number, string | null>): Promise<HomeClock[]> {
  const rows = await db
    .selectFrom('clock')
    .select(['incident_id', 'kind', 'due_at'])
    .where('state', '=', 'running')
    .where('kind', 'in', [...CLOCKS.keys()])
    .where('incident_id', 'in', [-1, ...rooms.keys()])
    .execute();
  return rows.map((row) => ({
    incidentId: row.incident_id,
    channelId: rooms.get(row.incident_id) ?? null,
    what: CLOCKS.get(row.kind) ?? row.kind,
    dueAt: row.due_at,
  }));
}

/** Policy: a private incident does not show in the health of its service. */
function services(flow: Flow, live: readonly Incident[], watch: WatchStatus): HomeService[] {
  const about = (service: string, environment: string) => ({ service, environment });
  const known = [
    ...Object.keys(flow.config.services).map((name) => about(name, flow.config.environment)),
    ...watch.signals.map(({ service, environment }) => about(service, environment)),
  ];
  const unique = new Map(known.map((one) => [`${one.service} ${one.environment}`, one]));
  return [...unique.values()].map((one) => ({ ...one, ...health(one, live, watch) }));
}

function health(
  { service, environment }: Pick<HomeService, 'service' | 'environment'>,
  live: readonly Incident[],
  watch: WatchStatus,
): Pick<HomeService, 'state' | 'detail'> {
  const isHere = (one: { service: string | null; environment: string }) =>
    one.service === service && one.environment === environment;
  const open = live.filter((incident) => isHere(incident) && !incident.private);
  if (open.length > 0)
    return {
      state: 'incident',
      detail: open
        .map(({ id }) => `INC-${id}`)
        .slice(0, 5)
        .join(', '),
    };
  const signals = watch.signals.filter((signal) => isHere(signal) && !signal.warning);
  const firing = signals.filter(({ state }) => state === 'firing');
  if (firing.length > 0) return { state: 'firing', detail: firing.map(({ rule }) => rule).join(', ') };
  const hasData = signals.some(({ state }) => state !== 'no-data' && state !== 'insufficient');
  return hasData ? { state: 'ok', detail: null } : { state: 'blind', detail: 'no rule has data' };
}
