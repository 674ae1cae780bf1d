import { ExternalError, messageOf } from '../../errors.ts';
import type { Incident } from '../../incident/incident.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { type Electorate, isNeverAlone } from '../../mitigation/approval.ts';
import { neededFor, type StandingApproval, standingApprovals } from '../../mitigation/approval-class.ts';
import type { Mitigation } from '../../mitigation/mitigation-store.ts';
import { parsePlan } from '../../mitigation/plan.ts';
import { type Flow, serviceConfig } from '../flow.ts';
import { onCallPeople } from '../page/on-call.ts';
import { safetyHolds } from './safety-release.ts';

type Asking = Pick<Flow, 'config' | 'chat' | 'log' | 'pager'>;

/** People, and what could not be read: groups, and policies by which nobody is on call. */
export interface Reading {
  people: string[];
  unread: string[];
}

/** Who decides on one plan, with who of them is on call, and what could not be read. */
export interface ReadElectorate extends Electorate {
  onCall: string[];
  /** Who counts because too few others may. */
  leads: string[];
  unread: string[];
}

/**
 * Who may approve for a service: its owner, its approvers, the members of its approver groups, who is on call by the
 * policies among its approvers; for a service that names nobody, the engineering lead. What cannot be read counts as
 * empty: approval fails closed.
 */
export async function approversOf(flow: Asking, service: string | null): Promise<string[]> {
  return (await readApprovers(flow, service)).people;
}

/** The same with what could not be read. */
export async function readApprovers(flow: Asking, service: string | null): Promise<Reading> {
  const { named, byCall } = await readBoth(flow, service);
  return joined([named, byCall]);
}

/** The same without those who are on call, as ids to show and mention: groups stay groups. */
export function approverIds(flow: Pick<Flow, 'config'>, service: string | null): string[] {
  const config = serviceConfig(flow, service);
  const ids = (config?.approvers ?? []).filter((one) => typeof one === 'string');
  const named = [...(config?.owner === undefined ? [] : [config.owner]), ...ids];
  return named.length === 0 ? flow.config.contacts.engineering_lead : [...new Set(named)];
}

/** Who is on call now by the policies among the approvers. */
async function approversOnCall(flow: Asking, service: string | null): Promise<Reading> {
  const policies = (serviceConfig(flow, service)?.approvers ?? []).filter((one) => typeof one !== 'string');
  const asked = policies.map(async ({ on_call, levels }) => {
    const people = await onCallPeople(flow, { escalation_policy: on_call, levels, service });
    return { people, unread: people.length === 0 ? [on_call] : [] };
  });
  return joined(await Promise.all(asked));
}

/**
 * Who is on call now, first level, for what PagerDuty pages about the service. Where PagerDuty is off, or the service has
 * no policy, nobody is; otherwise an empty answer was not given.
 */
export async function firstOnCall(flow: Asking, service: string | null): Promise<Reading> {
  const policy = serviceConfig(flow, service)?.pagerduty?.escalation_policy;
  if (policy === undefined || flow.pager === null) return { people: [], unread: [] };
  const people = await onCallPeople(flow, { escalation_policy: policy, levels: [1], service });
  return { people, unread: people.length === 0 ? [policy] : [] };
}

async function readBoth(flow: Asking, service: string | null): Promise<{ named: Reading; byCall: Reading }> {
  const config = serviceConfig(flow, service);
  const namesOnCall = (config?.approvers ?? []).some((one) => typeof one !== 'string');
  const isByCallAlone = namesOnCall && config?.owner === undefined && config?.approvers.every(isPolicy);
  const ids = isByCallAlone ? [] : approverIds(flow, service);
  const [byCall, ...named] = await Promise.all([
    approversOnCall(flow, service),
    ...ids.map((id) => readMembers(flow, id)),
  ]);
  return { named: joined(named), byCall };
}

const isPolicy = (one: unknown) => typeof one !== 'string';

/**
 * Who decides on this very plan, read now. Policy: who may approve for the service; under a standing approval also who
 * is on call for it, first level; and where those who may, without whoever proposed it, are fewer than it takes, the
 * engineering lead as well. Alone, by break-glass, may also who is on call and the engineering lead: taking command gives nobody a
 * vote. What a safety incident took away nobody ever sets back on alone, in whatever incident.
 * `voters`: whose votes are at stake; where all of them may anyhow, nobody else is looked up.
 */
export async function electorateOf(
  flow: Asking & Pick<Flow, 'targetFor' | 'db'>,
  mitigation: Mitigation,
  about: { incident: Incident | undefined; voters?: readonly string[]; alone: boolean },
): Promise<ReadElectorate> {
  const { incident, voters, alone } = about;
  const { service, proposed_by: proposer } = mitigation;
  const plan = parsePlan(mitigation.plan);
  const standing = standingNow(flow, mitigation);
  const isNever =
    incident === undefined || isNeverAlone(plan, incident.category) || (await safetyHolds(flow.db, plan));
  if (voters !== undefined && voters.length > 0 && voters.every(isTerminal))
    return { mayApprove: [], mayBreakGlass: isNever ? null : voters, standing, ...NOBODY_ELSE };
  const needed = neededFor(plan, standing);
  const { named, byCall } = await readBoth(flow, service);
  const { people, unread } = joined([named, byCall]);
  const isKnown = voters?.every((voter) => people.includes(voter)) ?? false;
  const first =
    alone || (needed.standing !== null && !isKnown) ? (await firstOnCall(flow, service)).people : [];
  const others = people.filter((person) => needed.standing !== null || person !== proposer);
  const leads = others.length < needed.people ? flow.config.contacts.engineering_lead : [];
  const mayApprove = unique([...people, ...(needed.standing === null ? [] : first), ...leads]);
  const responders = [...mayApprove, ...first, ...flow.config.contacts.engineering_lead];
  const mayBreakGlass = isNever ? null : unique([...responders, ...(voters ?? []).filter(isTerminal)]);
  const onCall = unique([...byCall.people, ...first]).filter((person) => mayApprove.includes(person));
  return { mayApprove, mayBreakGlass, standing, onCall, leads, unread };
}

const NOBODY_ELSE = { onCall: [], leads: [], unread: [] };

/** The same for a mitigation whose incident is not at hand. */
export async function readElectorate(
  flow: Asking & Pick<Flow, 'targetFor' | 'db'>,
  mitigation: Mitigation,
  about: { voters?: readonly string[]; alone: boolean },
): Promise<ReadElectorate> {
  const { incident_id: id } = mitigation;
  const incident = id === null ? undefined : await findIncident(flow.db, id);
  return electorateOf(flow, mitigation, { ...about, incident });
}

/** Policy: whoever has a terminal with the bot's own token or database may break the glass; no Slack id is one. */
export const isTerminal = (voter: string) => voter.startsWith('terminal:');

/** What the team approved in advance for a service, as the configuration has it now; nothing without a target. */
export function standingNow(
  flow: Pick<Flow, 'config' | 'targetFor'>,
  about: { service: string; environment: string },
): StandingApproval[] {
  const target = flow.targetFor(about);
  const names = serviceConfig(flow, about.service)?.standing_approvals ?? [];
  return target === null ? [] : standingApprovals({ ...about, target: target.describe(), names });
}

/** The people behind an id: those of a group, or the person itself; a group that cannot be read has nobody. */
export async function readMembers(flow: Pick<Flow, 'chat' | 'log'>, id: string): Promise<Reading> {
  return id.startsWith('S') ? readGroup(flow, id) : { people: [id], unread: [] };
}

async function readGroup(flow: Pick<Flow, 'chat' | 'log'>, groupId: string): Promise<Reading> {
  try {
    return { people: await flow.chat.membersOfGroup(groupId), unread: [] };
  } catch (thrown) {
    if (!(thrown instanceof ExternalError)) throw thrown;
    flow.log.warn({ groupId, error: messageOf(thrown) }, 'approver group could not be read');
    return { people: [], unread: [groupId] };
  }
}

const joined = (readings: readonly Reading[]): Reading => ({
  people: unique(readings.flatMap(({ people }) => people)),
  unread: readings.flatMap(({ unread }) => unread),
});

const unique = (people: readonly string[]) => [...new Set(people)];
