import type { Incident } from '../../incident/incident.ts';
import { acknowledgerOf } from '../../incident/people-store.ts';
import { type Flow, serviceConfig } from '../flow.ts';
import { firstOnCall, type Reading, readApprovers, readMembers } from '../mitigate/approvers.ts';
import { type Action, decide, type HolderPeople, type Permission } from './who-may.ts';

type Asking = Pick<Flow, 'db' | 'config' | 'chat' | 'log' | 'pager'>;

/**
 * Whether somebody may do this in an incident's room, read now; Slack and PagerDuty are asked only where they must be.
 * Policy: for a service that the configuration does not name answers whoever comes: while nobody has taken its incident,
 * everybody counts as a responder.
 */
export async function permissionFor(
  flow: Asking,
  { incident, by, action }: { incident: Incident; by: string; action: Action },
): Promise<Permission> {
  const entries = flow.config.who_may[action];
  if (entries.includes('anyone')) return { kind: 'allowed' };
  const near = await peopleAtHand(flow, incident);
  if (entries.some((entry) => [entry, ...(peopleOf(near, entry) ?? [])].includes(by)))
    return { kind: 'allowed' };
  const isUnowned = serviceConfig(flow, incident.service) === null;
  const isTaken = (near.responder ?? []).length + (near.declarer ?? []).length > 0;
  if (isUnowned && !isTaken && entries.includes('responder')) return { kind: 'allowed' };
  const elsewhere = await peopleElsewhere(flow, incident, entries);
  const people = Object.fromEntries(elsewhere.map(({ entry, people: found }) => [entry, found]));
  const isUnread = elsewhere.some(({ unread }) => unread.length > 0);
  const leads = flow.config.contacts.engineering_lead;
  return decide(entries, { ...near, ...people }, { by, isUnread, leads });
}

const peopleOf = (people: HolderPeople, entry: string): readonly string[] | undefined =>
  (people as Readonly<Record<string, readonly string[]>>)[entry];

/** Who is known from the incident and the configuration. */
async function peopleAtHand(flow: Pick<Flow, 'db' | 'config'>, incident: Incident): Promise<HolderPeople> {
  const { commander, scribe, comms, declared_by: declarer, service } = incident;
  const known = (...ids: (string | null | undefined)[]) =>
    ids.filter((id) => id !== null && id !== undefined);
  return {
    commander: known(commander),
    responder: known(commander, scribe, comms, await acknowledgerOf(flow.db, incident.id)),
    declarer: known(declarer),
    owner: known(serviceConfig(flow, service)?.owner),
    lead: flow.config.contacts.engineering_lead,
  };
}

/** Who must be looked up: approvers and their groups, who is on call, groups that are named. */
async function peopleElsewhere(
  flow: Asking,
  { service }: Incident,
  entries: readonly string[],
): Promise<(Reading & { entry: string })[]> {
  const found = entries
    .filter((entry) => entry === 'approver' || entry === 'on_call' || IS_ID.test(entry))
    .map(async (entry) => ({ entry, ...(await peopleBehind(flow, service, entry)) }));
  return Promise.all(found);
}

const IS_ID = /^[USW][A-Z0-9]+$/;

/** The people whom an entry of `who_may` stands for. */
async function peopleBehind(flow: Asking, service: string | null, entry: string): Promise<Reading> {
  if (entry === 'approver') return readApprovers(flow, service);
  return entry === 'on_call' ? firstOnCall(flow, service) : readMembers(flow, entry);
}
