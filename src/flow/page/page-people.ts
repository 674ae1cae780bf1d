import { createHash } from 'node:crypto';
import { z } from 'zod';
import { enqueue, type Job } from '../../db/jobs.ts';
import { ExternalError } from '../../errors.ts';
import { type Incident, LIVE, mayPage, nameOf } from '../../incident/incident.ts';
import { addToTimeline, findIncident, lockLive } from '../../incident/incident-store.ts';
import { findPeoplePage, type PeoplePage, settlePeoplePage } from '../../incident/people-page-store.ts';
import { redact } from '../../redaction.ts';
import { lookAtNotifications, notice, settlePages } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { nameOrId } from '../room/display-name.ts';
import { pagerUserOf } from './on-call.ts';
import { requestFor } from './page.ts';
import type { PeopleReceipt, PeopleRequest } from './pager-port.ts';
import { IN_PAGERDUTY } from './summon.ts';
import { openReceiptOf } from './tell-pager.ts';

const asked = z.object({ incidentId: z.number(), key: z.string() });

const SAID_AFTER_ATTEMPTS = 3;

/**
 * Pages the people of one summons and records whom PagerDuty took and who could not be paged. Policy: nobody is called to
 * what is over, and a call that crosses the end is ended in PagerDuty as well.
 */
export async function pagePeople(flow: Flow, job: Job): Promise<void> {
  const { incidentId, key } = asked.parse(job.payload);
  const incident = await findIncident(flow.db, incidentId);
  const called = await findPeoplePage(flow.db, { incidentId, key });
  if (incident === undefined || called?.state !== 'pending') return;
  if (flow.pager === null || !mayPage(incident)) return;
  if (!LIVE.includes(incident.status)) return settleOver(flow, called);
  try {
    await callThem(flow, { incident, called, attempts: job.attempts });
  } catch (thrown) {
    if (thrown instanceof ExternalError && job.attempts === SAID_AFTER_ATTEMPTS) await sayLate(flow, called);
    throw thrown;
  }
}

async function settleOver(flow: Flow, { incident_id: incidentId, key }: PeoplePage): Promise<void> {
  const at = flow.clock.now();
  const outcome = 'Nobody was paged by name: it was over before PagerDuty could be reached.';
  await flow.db.transaction().execute(async (tx) => {
    if (!(await settlePeoplePage(tx, { incidentId, key, state: 'skipped', outcome, receipt: null, at })))
      return;
    await addToTimeline(tx, { incidentId, at, kind: 'summons', actor: null, text: outcome, data: { key } });
  });
}

interface Calling {
  incident: Incident;
  called: PeoplePage;
  attempts: number;
}

async function callThem(flow: Flow, calling: Calling): Promise<void> {
  const { incident, called } = calling;
  const people = await pageable(flow, calling);
  const about = { incident, key: called.key, people };
  if (flow.pager === null || people.known.size === 0)
    return settle(flow, { ...about, receipt: null, failure: null });
  try {
    const request = await requestOf(flow, incident, { called, userIds: [...people.known.keys()] });
    const current = await findIncident(flow.db, incident.id);
    if (current === undefined || !LIVE.includes(current.status)) return settleOver(flow, called);
    const receipt = await flow.pager.of(incident.service).pagePeople(request);
    await settle(flow, { ...about, receipt, failure: null });
  } catch (thrown) {
    if (!(thrown instanceof ExternalError) || thrown.retryable) throw thrown;
    await settle(flow, { ...about, receipt: null, failure: thrown.message });
  }
}

/** Policy: a page that does not get out is tried for a day, but the room knows after the first tries. */
async function sayLate(flow: Flow, { incident_id: incidentId, key }: PeoplePage): Promise<void> {
  const text =
    'PagerDuty cannot be reached: the phones of those who were called do not ring yet. Call them yourself.';
  const late = notice(incidentId, flow.clock.now(), { text, aloud: true });
  await enqueue(flow.db, { ...late, dedupeKey: `late-page:${incidentId}:${key}` });
}

interface Pageable {
  /** By PagerDuty user id: the name that the room knows. */
  known: Map<string, string>;
  /** Names of those without a PagerDuty user. */
  unknown: string[];
}

/** The same person by two ways is one. A group that cannot be read stands among the unknown: somebody must be told. */
async function pageable(flow: Flow, calling: Calling): Promise<Pageable> {
  const { incident, called } = calling;
  const people: Pageable = { known: new Map(), unknown: [] };
  for (const id of called.people) {
    if (id.startsWith(IN_PAGERDUTY)) {
      const userId = id.slice(IN_PAGERDUTY.length);
      people.known.set(userId, await pagerName(flow, incident, userId));
      continue;
    }
    for (const slackId of await membersOf(flow, id)) {
      const userId = await lookUp(flow, slackId, calling);
      const name = await nameOrId(flow, slackId);
      if (userId === null) people.unknown.push(name);
      else people.known.set(userId, name);
    }
  }
  return people;
}

/**
 * Policy: whoever cannot be looked up keeps nobody else from being called: what is refused for good makes them unknown,
 * and so does Slack when it stays away; PagerDuty is waited for.
 */
async function lookUp(
  flow: Flow,
  slackId: string,
  { incident: { service }, attempts }: Calling,
): Promise<string | null> {
  try {
    return await pagerUserOf(flow, { slackId, service });
  } catch (thrown) {
    if (!(thrown instanceof ExternalError)) throw thrown;
    const mayCome = thrown.retryable && (thrown.service !== 'Slack' || attempts < SAID_AFTER_ATTEMPTS);
    if (mayCome) throw thrown;
    flow.log.warn({ slackId, error: thrown.message }, 'a PagerDuty user could not be looked up');
    return null;
  }
}

async function pagerName(flow: Flow, incident: Incident, userId: string): Promise<string> {
  try {
    return (await flow.pager?.of(incident.service).user(userId))?.name ?? userId;
  } catch (thrown) {
    if (thrown instanceof ExternalError) return userId;
    throw thrown;
  }
}

async function membersOf(flow: Flow, id: string): Promise<string[]> {
  if (!id.startsWith('S')) return [id];
  try {
    return await flow.chat.membersOfGroup(id);
  } catch (thrown) {
    if (!(thrown instanceof ExternalError) || thrown.retryable) throw thrown;
    flow.log.warn({ group: id, error: thrown.message }, 'a group that was called could not be read');
    return [id];
  }
}

/** The text of a private incident's page is a link and nothing else. */
async function requestOf(
  flow: Flow,
  incident: Incident,
  { called, userIds }: { called: PeoplePage; userIds: string[] },
): Promise<PeopleRequest> {
  const page = await requestFor(flow, incident, 'page');
  const name = nameOf(incident.id);
  const said = incident.private
    ? `${name} (private): you are called; open the room`
    : calledText(name, redact(called.text));
  const message = page.link === null ? said : `${said}\nRoom: ${page.link}`;
  const suffix = createHash('sha256').update(called.key).digest('hex').slice(0, 12);
  const open = await openReceiptOf(flow, incident.id);
  const own = { ...page, key: `${page.key}/${suffix}`, title: said, details: message, raise: null };
  return { userIds, message, on: open?.pagerdutyId ?? null, own };
}

/** A phone shows no marks of Slack, and one name of the incident is enough. */
function calledText(name: string, said: string): string {
  const plain = said.replace(/\*([^*\n]+)\*/g, '$1');
  return plain.includes(`${name} `) ? plain : `${name}: ${plain}`;
}

interface Settled {
  incident: Incident;
  key: string;
  people: Pageable;
  receipt: PeopleReceipt | null;
  failure: string | null;
}

/** What became of it goes to the record; who could not be paged is said in the room. */
async function settle(flow: Flow, settled: Settled): Promise<void> {
  const { incident, key, people, receipt, failure } = settled;
  const now = flow.clock.now();
  const taken = describeTaken(people, receipt);
  const missed = describeMissed(settled);
  const outcome = [...taken, ...missed].join(' ');
  const about = { incidentId: incident.id, key };
  await flow.db.transaction().execute(async (tx) => {
    const isOver = (await lockLive(tx, incident.id)) === undefined;
    const state = taken.length > 0 ? 'sent' : 'failed';
    if (!(await settlePeoplePage(tx, { ...about, state, outcome, receipt, at: now }))) return;
    await addToTimeline(tx, {
      incidentId: incident.id,
      at: now,
      kind: 'summons',
      actor: null,
      text: outcome,
      data: { key },
    });
    if (missed.length > 0)
      await enqueue(tx, notice(incident.id, now, { text: missed.join(' '), aloud: true }));
    if (isOver) {
      const again = settlePages(incident.id, 'resolved', now);
      await enqueue(tx, { ...again, dedupeKey: `${again.dedupeKey}:${key}` });
    }
    if (taken.length > 0) await enqueue(tx, lookAtNotifications({ ...about, look: 1 }, now));
  });
  flow.log.info({ ...about, failure }, 'people were paged by name');
}

function describeTaken(people: Pageable, receipt: PeopleReceipt | null): string[] {
  if (receipt === null) return [];
  const names = (ids: readonly string[]) => ids.map((id) => people.known.get(id) ?? id).join(', ');
  const { asked: responders, assigned, own, on } = receipt;
  return [
    ...(responders.length === 0 ? [] : [`PagerDuty asks ${names(responders)} to respond on ${on}.`]),
    ...(assigned.length === 0 ? [] : [`PagerDuty pages ${names(assigned)} by ${own?.pagerdutyId}.`]),
  ];
}

function describeMissed({ people, receipt, failure }: Settled): string[] {
  const left = (receipt?.left ?? []).map((id) => people.known.get(id) ?? id).join(', ');
  const known = [...people.known.values()].join(', ');
  return [
    ...(people.unknown.length === 0
      ? []
      : [`Could not be paged, no PagerDuty user found: ${people.unknown.join(', ')}.`]),
    ...(left === '' ? [] : [`Could not be paged, PAGERDUTY_FROM is theirs: ${left}.`]),
    ...(failure === null ? [] : [`Could not be paged: ${known}. PagerDuty refused: ${failure}`]),
  ];
}
