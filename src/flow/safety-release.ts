import type { Db } from '../db/database.ts';
import { findIncident } from '../incident/incident-store.ts';
import { type RecordedRelease, releaseOf, safetyIncidentsOf } from '../incident/release-store.ts';
import { mitigationsOn } from '../mitigation/lease-store.ts';
import { type Plan, parsePlan, type Step } from '../mitigation/plan.ts';
import { givesBack, openRoles, type RoleHolders, type SignOffRole } from '../mitigation/safety-release.ts';
import { type Flow, serviceConfig } from './flow.ts';

/** What must be recorded before a safety incident's mitigations are given back. */
export interface ReleaseGap {
  /** False: it is another incident of the same service that holds the plan back. */
  isOwn: boolean;
  needsCause: boolean;
  roles: RoleHolders[];
}

type Asked = Pick<Plan, 'incidentId' | 'service' | 'environment' | 'steps' | 'shift'>;

/**
 * Policy: what a safety incident took away is set back on only after its root cause and the sign-offs are recorded,
 * by whatever plan, of whatever incident; read again at the proposal, at each vote and at the run. A closed one still
 * holds what it left on. Null: nothing holds the plan back.
 */
export async function releaseGap(
  flow: Pick<Flow, 'config'>,
  db: Db,
  plan: Asked,
): Promise<ReleaseGap | null> {
  for (const incident of await safetyIncidentsOf(db, plan)) {
    const taken = (await mitigationsOn(db, { incidentId: incident.id, covered: true })).flatMap(
      (one) => parsePlan(one.plan).steps,
    );
    const asked = withShift(plan);
    const steps = incident.status === 'closed' ? touching(asked, taken) : asked;
    if (!givesBack(steps, taken)) continue;
    const gap = gapOf(flow, incident.service, await releaseOf(db, incident.id));
    if (gap !== null) return { ...gap, isOwn: incident.id === plan.incidentId };
  }
  return null;
}

/** A shift leads to all of the traffic, whatever its stages. */
function withShift({ steps, shift }: Asked): Step[] {
  return shift === null ? steps : [...steps, { setting: shift.setting, from: shift.from, to: 100 }];
}

const touching = (steps: readonly Step[], taken: readonly Step[]) =>
  steps.filter(({ setting }) => taken.some((held) => held.setting === setting));

/** What is still missing of what is recorded; null when it is whole. */
export function gapOf(
  flow: Pick<Flow, 'config'>,
  service: string | null,
  { rootCause, signOffs }: RecordedRelease,
): Omit<ReleaseGap, 'isOwn'> | null {
  const needed = signOffRoles(flow, service);
  const open = openRoles(
    needed,
    signOffs.map(({ person }) => person),
  );
  if (rootCause !== null && open.length === 0) return null;
  return { needsCause: rootCause === null, roles: needed.filter(({ role }) => open.includes(role)) };
}

/** Whose sign-offs it takes for a service, and who may give them; the lead stands in where there is no owner. */
export function signOffRoles(flow: Pick<Flow, 'config'>, service: string | null): RoleHolders[] {
  const { contacts, safety_sign_offs: roles } = flow.config;
  return roles.map((role) => ({
    role,
    people: role === 'owner' ? ownersOf(flow, service) : contacts[role],
  }));
}

export function ownersOf(flow: Pick<Flow, 'config'>, service: string | null): string[] {
  const owner = serviceConfig(flow, service)?.owner;
  return owner === undefined ? flow.config.contacts.engineering_lead : [owner];
}

const ROLE_NAMES: Record<SignOffRole, string> = {
  owner: 'the service’s owner',
  legal: 'legal',
  compliance: 'compliance',
  engineering_lead: 'the engineering lead',
};

export function roleName(role: SignOffRole): string {
  return ROLE_NAMES[role];
}

/** Why nothing is set back on, and how to give what is missing; with `mentions` also who may give it. */
export function describeGap(gap: ReleaseGap, { mentions }: { mentions: boolean }): string {
  const why = gap.isOwn
    ? 'This is a safety incident'
    : 'A safety incident of this service is not released, and this would set back on what it took away';
  const who = gap.roles.map(({ role, people }) => {
    const named = people.length === 0 ? 'nobody is configured' : people.map((id) => `<@${id}>`).join(' or ');
    return mentions ? `${roleName(role)} (${named})` : roleName(role);
  });
  const missing = [
    ...(gap.needsCause ? ['a root cause: `/llm-incident root-cause TEXT`'] : []),
    ...(who.length > 0 ? [`the sign-off of ${who.join(' and of ')}: \`/llm-incident sign-off\``] : []),
  ];
  const where = gap.isOwn ? '' : ' in its own room';
  return `${why}: nothing is set back on before a root cause and sign-offs are recorded${where}. Missing: ${missing.join('; ')}.`;
}

/** What the incident's people may be told of it at any time. */
export async function releaseState(
  flow: Pick<Flow, 'config' | 'db'>,
  incidentId: number,
): Promise<{ recorded: RecordedRelease; gap: ReleaseGap | null }> {
  const incident = await findIncident(flow.db, incidentId);
  const recorded = await releaseOf(flow.db, incidentId);
  const gap = gapOf(flow, incident?.service ?? null, recorded);
  return { recorded, gap: gap === null ? null : { ...gap, isOwn: true } };
}
