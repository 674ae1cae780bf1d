import type { Category } from '../db/schema.ts';
import { digestOf } from '../evidence/digest.ts';
import { type ApprovalClass, isResume, type Plan, type StandingName } from './plan.ts';
import { kindOf, subjectOf } from './serving.ts';

/** What a team wrote down that on-call may run at once; the hash names exactly this one. */
export interface StandingApproval {
  what: StandingName;
  hash: string;
}

/** The standing approvals of a service as the configuration has them; each has a hash of its own. */
export function standingApprovals(about: {
  service: string;
  environment: string;
  target: string;
  names: readonly StandingName[];
}): StandingApproval[] {
  const { service, environment, target, names } = about;
  return names.map((what) => ({ what, hash: digestOf({ format: 1, service, environment, target, what }) }));
}

export interface Classified {
  steps: Plan['steps'];
  wish: Plan['wish'];
  /** It leads there by stages of the traffic. */
  isShift?: boolean;
  category: Category;
  /** It goes to a prompt version or a model that the ledger has not seen serving well before. */
  isForward: boolean;
  /** "user u-7": whom the evidence names. */
  offender: string | null;
  standing: readonly StandingApproval[];
}

/**
 * Policy: two people for resuming, for going forward and for shifting traffic up; what a standing approval of the team
 * covers, one person on call alone; anything else one approver who did not propose it. In a safety incident no
 * automation runs anything: what needs fewer than two people is marked so.
 */
export function classOf(about: Classified): Pick<Plan, 'approval' | 'standing'> {
  const { steps, isForward, category } = about;
  const isUp = steps.some(
    ({ setting, from, to }) => kindOf(setting) === 'split' && Number(to) > Number(from),
  );
  if (isForward || isUp || about.isShift === true || steps.some(isResume))
    return { approval: 'two', standing: null };
  const standing = about.standing.find(({ what }) => COVERS[what](about)) ?? null;
  if (category === 'safety') return { approval: 'never-automatic', standing };
  return { approval: standing === null ? 'one' : 'standing', standing };
}

/** Policy: what each standing approval covers; every step of the plan must be of that sort. */
const COVERS: Record<StandingName, (about: Classified) => boolean> = {
  disable: ({ steps }) =>
    steps.every(({ setting, to }) => ['enabled', 'type'].includes(kindOf(setting)) && to === false),
  'known-good': ({ wish }) => wish.kind === 'known-good',
  'throttle-offender': ({ steps, offender }) =>
    steps.every(
      ({ setting, from, to }) =>
        kindOf(setting) === 'limit' &&
        subjectOf(setting) === offender &&
        to !== null &&
        (from === null || Number(to) < Number(from)),
    ),
};

const PEOPLE: Record<ApprovalClass, number> = { standing: 1, one: 1, two: 2, 'never-automatic': 1 };

/** Who must agree: so many people, and whether whoever proposed it counts, as under a standing approval. */
export interface Needed {
  people: number;
  standing: StandingName | null;
}

/** `standingNow`: the standing approvals in the configuration now; one that was changed or removed is worth nothing. */
export function neededFor(
  { approval, standing }: Pick<Plan, 'approval' | 'standing'>,
  standingNow: readonly StandingApproval[],
): Needed {
  const isStill = standing !== null && standingNow.some(({ hash }) => hash === standing.hash);
  return isStill ? { people: 1, standing: standing.what } : { people: PEOPLE[approval], standing: null };
}
