import type { Db } from '../../db/database.ts';
import { type Incident, LIVE } from '../../incident/incident.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { type RecordedRelease, releaseOf, safetyIncidentsOf } from '../../incident/release-store.ts';
import { freerSteps, type Held, touches } from '../../mitigation/freer.ts';
import { mitigationsOn } from '../../mitigation/lease-store.ts';
import type { Mitigation } from '../../mitigation/mitigation-store.ts';
import { type Plan, parsePlan, type Step } from '../../mitigation/plan.ts';
import { openRoles, type RoleHolders, type SignOffRole } from '../../mitigation/safety-release.ts';
import type { TargetState } from '../../mitigation/serving.ts';
import { type Flow, serviceConfig } from '../flow.ts';

/** What must be recorded before a safety incident's mitigations are given back. */
export interface ReleaseGap {
  /** False: it is another incident of the same service that holds the plan back. */
  isOwn: boolean;
  needsCause: boolean;
  roles: RoleHolders[];
}

interface Asked extends Pick<Plan, 'incidentId' | 'service' | 'environment' | 'steps' | 'shift' | 'wish'> {
  /** The mitigation that goes on, where it is one. */
  mitigationId?: number;
  /** What the target said just now; else it is what the mitigations in force left. */
  state?: TargetState;
}

/**
 * Policy: while a safety incident of the service is live and not released, or one that is not released holds what the
 * plan is about, nothing of the service may be served more freely than now, by whatever plan of whatever incident; read
 * again at the proposal, at each vote, at the run and at each stage. Null: nothing holds the plan back.
 */
export async function releaseGap(
  flow: Pick<Flow, 'config'>,
  db: Db,
  plan: Asked,
): Promise<ReleaseGap | null> {
  for (const incident of await safetyIncidentsOf(db, plan)) {
    const own = await mitigationsOn(db, { incidentId: incident.id, covered: true });
    if (!(await isHeldBack(db, plan, { incident, own }))) continue;
    const gap = gapOf(flow, incident.service, await releaseNow(db, incident.id));
    if (gap !== null) return { ...gap, isOwn: incident.id === plan.incidentId };
  }
  return null;
}

/** Whether it would set back on what a safety incident took away, released or not: that takes more than one person. */
export async function safetyHolds(db: Db, plan: Asked): Promise<boolean> {
  for (const incident of await safetyIncidentsOf(db, plan)) {
    const own = await mitigationsOn(db, { incidentId: incident.id, covered: true });
    if (await isHeldBack(db, plan, { incident, own })) return true;
  }
  return false;
}

async function isHeldBack(
  db: Db,
  plan: Asked,
  { incident, own }: { incident: Incident; own: readonly Mitigation[] },
): Promise<boolean> {
  const { service, environment } = plan;
  const isLive = LIVE.includes(incident.status);
  const all = await mitigationsOn(db, { service, environment, covered: true });
  const others = all.filter(({ id }) => id !== plan.mitigationId && own.every((one) => one.id !== id));
  const held: Held = {
    own: stepsOf(own),
    others: isLive ? stepsOf(others) : [],
    isKnownGood: plan.wish.kind === 'known-good',
    isForeign: isLive && incident.id !== plan.incidentId,
  };
  const freer = freerSteps(withShift(plan), held, { ...leftBy(all), ...plan.state });
  return freer.some((step) => isLive || held.own.some((taken) => touches(step, taken)));
}

const stepsOf = (mitigations: readonly Mitigation[]) =>
  mitigations.flatMap(({ plan }) => parsePlan(plan).steps);

/** What mitigations left, the later over the earlier; a shift may stand anywhere. */
function leftBy(mitigations: readonly Mitigation[]): TargetState {
  const plans = mitigations.map(({ plan }) => parsePlan(plan)).filter(({ shift }) => shift === null);
  return Object.fromEntries(plans.flatMap(({ steps }) => steps.map(({ setting, to }) => [setting, to])));
}

/** A shift leads to all of the traffic, whatever its stages. */
function withShift({ steps, shift }: Asked): Step[] {
  return shift === null ? steps : [...steps, { setting: shift.setting, from: shift.from, to: 100 }];
}

/**
 * What is recorded of an incident's release, and from when on sign-offs count. Policy: a release covers what was taken
 * before it; what was taken since needs sign-offs of its own.
 */
export async function releaseNow(
  db: Db,
  incidentId: number,
): Promise<RecordedRelease & { since: Date | null }> {
  const since = lastTaken(await mitigationsOn(db, { incidentId, covered: true }));
  const { rootCause, signOffs } = await releaseOf(db, incidentId);
  return { rootCause, signOffs: signOffs.filter(({ at }) => since === null || at >= since), since };
}

/** When its own mitigations last took something away; giving back in part takes nothing. */
function lastTaken(own: readonly Mitigation[]): Date | null {
  const taking = own.filter(({ plan }, index) => {
    const earlier = own.slice(0, index);
    const held: Held = { own: stepsOf(earlier), others: [], isKnownGood: false, isForeign: false };
    const { steps } = parsePlan(plan);
    return freerSteps(steps, held, leftBy(earlier)).length < steps.length;
  });
  const times = taking.map(({ applied_at: appliedAt, started_at: startedAt, proposed_at: proposedAt }) =>
    (appliedAt ?? startedAt ?? proposedAt).getTime(),
  );
  return times.length === 0 ? null : new Date(Math.max(...times));
}

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
    people: role === 'owner' ? ownersOf(flow, service) : contacts[role].filter((id) => !id.startsWith('S')),
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

/**
 * Why nothing is set back on, and how to give what is missing; with `mentions` also who may give it. Of another incident, which may
 * be private, nothing is said.
 */
export function describeGap(gap: ReleaseGap, { mentions }: { mentions: boolean }): string {
  if (!gap.isOwn) return 'This cannot be set back on now; ask the service’s owner.';
  const who = gap.roles.map(({ role, people }) => {
    const named = people.length === 0 ? 'nobody is configured' : people.map((id) => `<@${id}>`).join(' or ');
    return mentions ? `${roleName(role)} (${named})` : roleName(role);
  });
  const missing = [
    ...(gap.needsCause ? ['a root cause: `/llm-incident root-cause TEXT`'] : []),
    ...(who.length > 0 ? [`the sign-off of ${who.join(' and of ')}: \`/llm-incident sign-off\``] : []),
  ];
  return `This is a safety incident: nothing is set back on before a root cause and sign-offs are recorded. Missing: ${missing.join('; ')}.`;
}

/** What the incident's people may be told of it at any time. */
export async function releaseState(
  flow: Pick<Flow, 'config' | 'db'>,
  incidentId: number,
): Promise<{ recorded: RecordedRelease; gap: ReleaseGap | null }> {
  const incident = await findIncident(flow.db, incidentId);
  const recorded = await releaseNow(flow.db, incidentId);
  const gap = gapOf(flow, incident?.service ?? null, recorded);
  return { recorded, gap: gap === null ? null : { ...gap, isOwn: true } };
}
