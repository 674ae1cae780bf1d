import { addHours } from 'date-fns';
import type { Db, Tx } from '../../db/database.ts';
import { answersTo, countingAnswers } from '../../decision/characteristic-store.ts';
import { type Incident, isPerson } from '../../incident/incident.ts';
import { milestonesOf, timelineOf } from '../../incident/incident-store.ts';
import { keptCases } from '../../postmortem/case-store.ts';
import {
  type DocumentSignature,
  DUE_HOURS,
  nextReminderAt,
  openSignatures,
  type SigningRole,
  signaturesOf,
} from '../../postmortem/duty.ts';
import { type Duty, findDuty, startDuty } from '../../postmortem/duty-store.ts';
import { type DoneFacts, leftToDo } from '../../postmortem/what-is-missing.ts';
import { type Flow, serviceConfig } from '../flow.ts';
import { BREAK_GLASS } from '../mitigate/break-glass-notice.ts';
import { reviewsOf } from '../mitigate/review-break-glass.ts';
import { actionItemsOf } from './action-items.ts';
import { noEvalCaseOf } from './no-eval-case.ts';
import { answersOf } from './postmortem-answers.ts';

type Timeline = Awaited<ReturnType<typeof timelineOf>>;

/** Where the post-mortem of an incident stands. */
export interface DutyState {
  /** Undefined before it is resolved. */
  duty: Duty | undefined;
  left: string[];
  signed: DocumentSignature[];
  unsigned: SigningRole[];
}

export async function dutyState(flow: Pick<Flow, 'config'>, db: Db, incident: Incident): Promise<DutyState> {
  const timeline = await timelineOf(db, incident.id);
  const signed = signaturesOf(timeline);
  return {
    duty: await findDuty(db, incident.id),
    left: leftToDo(await doneFacts(db, incident, timeline)),
    signed,
    unsigned: openSignatures(signingRoles(flow, incident), signed),
  };
}

/** Policy: its owner signs the document, and in a safety incident legal does as well, where somebody is legal. */
export function signingRoles({ config }: Pick<Flow, 'config'>, { category }: Incident): SigningRole[] {
  const needsLegal = category === 'safety' && config.contacts.legal.length > 0;
  return needsLegal ? ['owner', 'legal'] : ['owner'];
}

async function doneFacts(db: Db, incident: Incident, timeline: Timeline): Promise<DoneFacts> {
  const milestones = await milestonesOf(db, incident.id);
  const characteristics = countingAnswers(await answersTo(db, incident.id));
  const cases = await keptCases(db, incident.id);
  return {
    answers: answersOf(timeline, { incident, milestones, characteristics }),
    actionItems: actionItemsOf(timeline),
    evalCases: cases.map(({ definition: { description, proven } }) => ({ description, proven })),
    noEvalCaseReason: noEvalCaseOf(timeline),
    mitigations: ranAlone(timeline),
  };
}

function ranAlone(timeline: Timeline): DoneFacts['mitigations'] {
  const reviews = reviewsOf(timeline);
  return timeline
    .filter(({ kind }) => kind === BREAK_GLASS)
    .map(({ actor, text, data }) => {
      const review = reviews.get(Number(data['mitigationId']));
      const breakGlass = {
        by: actor ?? 'unknown',
        reason: text,
        ...(review === undefined ? {} : { review }),
      };
      return { id: String(data['mitigationId']), breakGlass };
    });
}

/** Policy: whoever led the incident writes it up, else the owner of the service, else whoever declared it. */
export function defaultOwner(flow: Pick<Flow, 'config'>, incident: Incident): string | null {
  const { commander, service, declared_by: declarer } = incident;
  return commander ?? serviceConfig(flow, service)?.owner ?? (isPerson(declarer) ? declarer : null);
}

/** It is due 48 hours after the incident is over; returns whose it is. */
export async function beginDuty(
  flow: Pick<Flow, 'config'>,
  tx: Tx,
  { incident, by, owner, now }: { incident: Incident; by: string; owner: string | null; now: Date },
): Promise<string | null> {
  const dueAt = addHours(now, DUE_HOURS);
  const chosen = owner ?? defaultOwner(flow, incident);
  const nextAt = nextReminderAt(dueAt, now);
  await startDuty(tx, { incidentId: incident.id, owner: chosen, chosenBy: by, dueAt, nextAt });
  return chosen;
}
