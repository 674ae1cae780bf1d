import { evidenceOf } from '../../evidence/evidence-store.ts';
import type { Incident } from '../../incident/incident.ts';
import { milestonesOf } from '../../incident/incident-store.ts';
import { rolesOf, STAKEHOLDER_ROLES } from '../../incident/stakeholder.ts';
import {
  type BadCheck,
  countExposed,
  type Exposed,
  type ExposedUser,
  exposedUsers,
} from '../../sources/exposure-store.ts';
import type { Flow } from '../flow.ts';
import { passScoreOf } from '../learn/data-points.ts';
import { approversOf } from '../mitigate/approvers.ts';
import { rolesHeldBy } from './contacts.ts';
import { maySeePeople } from './may-see.ts';

const MINUTE_MS = 60_000;
const WITHOUT_ONSET_MS = 30 * MINUTE_MS;
const SAFETY_RULES = ['safety.pii', 'safety.policy', 'safety.classifier', 'safety.user_flag'];

/** Who received bad outputs, and by which check they were bad. */
export interface Exposure extends Exposed {
  from: Date;
  to: Date;
  /** For people: "scored below 0.5". */
  by: string;
  check: BadCheck;
  service: string;
  environment: string;
}

/**
 * Policy: from the onset (half an hour before the declaration where none was estimated) to the resolution, or now: who
 * got a bad output after the containment was exposed too. Null without a service, whose calls cannot be told.
 */
export async function exposureOf(
  flow: Pick<Flow, 'db' | 'clock'>,
  incident: Incident,
): Promise<Exposure | null> {
  const { service, environment } = incident;
  if (service === null) return null;
  const { started, declared, resolved } = await milestonesOf(flow.db, incident.id);
  const early = new Date((declared ?? incident.created_at).getTime() - WITHOUT_ONSET_MS);
  const passScore = passScoreOf(await evidenceOf(flow.db, incident.id));
  const { check, by } = checkOf(incident, passScore);
  // One call may have ended at this very moment.
  const to = new Date((resolved ?? flow.clock.now()).getTime() + 1);
  const window = { service, environment, from: started ?? early, to, check };
  return { ...window, by, ...(await countExposed(flow.db, window)) };
}

/** Policy: what failed the check of the rule that opened it; where no check belongs to it, format and score. */
export function checkOf(
  { rule, category }: Pick<Incident, 'rule' | 'category'>,
  passScore: number,
): { check: BadCheck; by: string } {
  if (rule !== null && SAFETY_RULES.includes(rule))
    return { check: { kind: 'events', rules: [rule] }, by: `caught by ${rule}` };
  if (category === 'safety')
    return { check: { kind: 'events', rules: SAFETY_RULES }, by: 'caught by a safety rule' };
  if (category === 'outage') return { check: { kind: 'error' }, by: 'failed' };
  switch (rule) {
    case 'quality.score':
      return { check: { kind: 'score', passScore }, by: `scored below ${passScore}` };
    case 'quality.format':
      return { check: { kind: 'format' }, by: 'broke the format' };
    case 'quality.refusal':
      return { check: { kind: 'refused' }, by: 'refused' };
    case 'quality.hallucination':
      return { check: { kind: 'hallucination' }, by: 'contradicted or unsupported by their sources' };
    default:
      return { check: { kind: 'answers', passScore }, by: `broke the format or scored below ${passScore}` };
  }
}

export const USERS_PER_PAGE = 25;

export async function exposurePage(
  flow: Pick<Flow, 'db'>,
  exposure: Exposure,
  page: number,
): Promise<ExposedUser[]> {
  return exposedUsers(flow.db, { ...exposure, limit: USERS_PER_PAGE, offset: page * USERS_PER_PAGE });
}

const MOST_EXPORTED = 200_000;

export async function everyExposed(flow: Pick<Flow, 'db'>, exposure: Exposure): Promise<ExposedUser[]> {
  return exposedUsers(flow.db, { ...exposure, limit: MOST_EXPORTED, offset: 0 });
}

/** What somebody may do with the users of an incident. */
export interface ExposureRights {
  see: boolean;
  /** Export the list; draft and approve a notice. */
  act: boolean;
}

/**
 * Policy: who is in the room sees the list, also of a public incident; exporting it and telling users is for the
 * service's approvers and the contacts (legal, compliance, comms, product), of a private incident only if they may read it.
 */
export async function exposureRights(
  flow: Pick<Flow, 'config' | 'chat' | 'log' | 'pager'>,
  incident: Incident,
  person: string,
): Promise<ExposureRights> {
  const held = await rolesHeldBy(flow, person, STAKEHOLDER_ROLES);
  const own = held.some((role) => rolesOf(incident).includes(role));
  const isPublicContact = held.length > 0 && !incident.private;
  const see = own || isPublicContact || (await maySeePeople(flow, incident, person));
  if (!see) return { see: false, act: false };
  const act = held.length > 0 || (await approversOf(flow, incident.service)).includes(person);
  return { see, act };
}
