import { z } from 'zod';
import type { Tx } from '../../db/database.ts';
import { enqueue, type Job } from '../../db/jobs.ts';
import type { Row } from '../../db/schema.ts';
import {
  type ClockKind,
  clocksOf,
  type LadderStep,
  restartClock,
  startClocks,
} from '../../incident/clock-store.ts';
import { type Incident, LIVE, mayPage, PRODUCTION, pagePlan } from '../../incident/incident.ts';
import { addToTimeline, findIncident, milestonesOf, timelineOf } from '../../incident/incident-store.ts';
import { invitePeople, notice, refreshCard } from '../effects.ts';
import { type Flow, minutesToMs } from '../flow.ts';
import { escalationsOf } from '../page/escalation.ts';
import { summon } from '../page/summon.ts';
import { climbLadder } from '../room/push-effects.ts';
import { type LadderCall, ladderCall } from './ladder-call.ts';

/** Clocks that an incident's containment settles; those of the acknowledgement stand beside them. */
export const CONTAINMENT_CLOCKS: readonly ClockKind[] = ['contain', 'escalate'];
export const ACKNOWLEDGEMENT_CLOCKS: readonly ClockKind[] = ['acknowledge', 'lead'];

/** How the timeline says that somebody decided, with a reason, not to contain it. */
export const WAIVED = 'contain-waived';

const STEPS: readonly string[] = ['acknowledge', 'contain', 'escalate'] satisfies LadderStep[];

/** From its declaration. */
export async function startLadder(
  flow: Pick<Flow, 'config'>,
  tx: Tx,
  { incident, now }: { incident: Incident; now: Date },
): Promise<void> {
  await startClocks(tx, containmentFrom(flow, incident, now));
  if (isWhole(flow, incident) && !mayPage(incident)) await awaitAcknowledgement(flow, tx, { incident, now });
}

/** When an incident must be contained, and when the next level is called. */
function containmentFrom({ config }: Pick<Flow, 'config'>, { id: incidentId }: Incident, now: Date) {
  const { contain_within_minutes, escalate_after_minutes } = config;
  const due = (minutes: number) => new Date(now.getTime() + minutesToMs(minutes));
  return [
    { incidentId, kind: 'contain' as const, dueAt: due(contain_within_minutes) },
    {
      incidentId,
      kind: 'escalate' as const,
      dueAt: due(Math.max(escalate_after_minutes, contain_within_minutes)),
    },
  ];
}

/** Policy: the ladder starts over when users are exposed anew, and calls at each step again; a waiver stands. */
export async function restartLadder(
  flow: Pick<Flow, 'config'>,
  tx: Tx,
  { incident, now }: { incident: Incident; now: Date },
): Promise<void> {
  if ((await timelineOf(tx, incident.id)).some(({ kind }) => kind === WAIVED)) return;
  for (const clock of containmentFrom(flow, incident, now)) await restartClock(tx, clock);
}

/** Policy: what is raised to a page has the whole ladder from then on, however long it was a ticket. */
export async function raiseLadder(
  flow: Pick<Flow, 'config'>,
  tx: Tx,
  { before, incident, now }: { before: Incident; incident: Incident; now: Date },
): Promise<void> {
  if (isWhole(flow, before) || !isWhole(flow, incident) || incident.status === 'mitigated') return;
  if ((await milestonesOf(tx, incident.id)).contained !== undefined) return;
  await restartLadder(flow, tx, { incident, now });
  if (!mayPage(incident)) await awaitAcknowledgement(flow, tx, { incident, now });
}

/** From a page on: until when somebody must say that they are on it. */
export async function awaitAcknowledgement(
  flow: Pick<Flow, 'config'>,
  tx: Tx,
  { incident, now }: { incident: Incident; now: Date },
): Promise<void> {
  const dueAt = new Date(now.getTime() + minutesToMs(flow.config.acknowledge_within_minutes));
  await startClocks(tx, [{ incidentId: incident.id, kind: 'acknowledge', dueAt }]);
}

/** Policy: the whole ladder is for what pages; a ticket and what wakes nobody have its containment step alone. */
function isWhole(flow: Pick<Flow, 'config'>, incident: Incident): boolean {
  const asIfPaging = { ...incident, environment: PRODUCTION, drill: false };
  return pagePlan(asIfPaging, escalationsOf(flow, incident)).kind === 'page';
}

/** A clock of the ladder has fired: its step is climbed by a job, because who is called has to be asked elsewhere. */
export async function climbAt(
  flow: Pick<Flow, 'config'>,
  tx: Tx,
  { clock, incident, now }: { clock: Row<'clock'>; incident: Incident; now: Date },
): Promise<'climbing' | 'quiet' | 'not-a-step'> {
  const whole = isWhole(flow, incident);
  if (clock.kind === 'lead') {
    return whole && (await isLeadCalled(tx, incident.id, now)) ? 'quiet' : 'not-a-step';
  }
  if (!STEPS.includes(clock.kind)) return 'not-a-step';
  if (clock.kind !== 'contain' && !whole) return 'quiet';
  const step = clock.kind as LadderStep;
  await enqueue(tx, climbLadder({ incidentId: incident.id, step, dueAt: clock.due_at }, now));
  return 'climbing';
}

/** Policy: the last step tells the engineering lead of the acknowledgement too, where it called them or is about to. */
async function isLeadCalled(tx: Tx, incidentId: number, now: Date): Promise<boolean> {
  const clock = (await clocksOf(tx, incidentId)).find(({ kind }) => kind === 'escalate');
  const firedAt = clock?.state === 'fired' ? clock.settled_at : null;
  if (firedAt === null) return false;
  const isCalled = (await timelineOf(tx, incidentId)).some(
    (e) => e.kind === 'clock-escalate' && e.at >= firedAt,
  );
  return isCalled || firedAt.getTime() === now.getTime();
}

const climbing = z.object({
  incidentId: z.number(),
  step: z.enum(['acknowledge', 'contain', 'escalate']),
  dueAt: z.coerce.date(),
  firedAt: z.coerce.date(),
});

const LATE_MS = 5 * 60_000;

/**
 * Contain first. Policy: paged and not acknowledged, on-call is called again; not contained, those who may approve the
 * fallback are; still not contained, the next level and the engineering lead are; then no phone rings and the card
 * counts. Phones ring for what pages. Outside production and in drills those whom the configuration names are mentioned
 * at the first two steps, nobody at the last. A step that is not needed any more is not climbed.
 */
export async function climb(flow: Flow, job: Job): Promise<void> {
  const { incidentId, step, dueAt, firedAt } = climbing.parse(job.payload);
  const incident = await findIncident(flow.db, incidentId);
  if (incident === undefined || !(await isNeeded(flow, { incident, step }))) return;
  const call = await ladderCall(flow, { incident, step, attempts: job.attempts });
  const isLate = firedAt.getTime() - dueAt.getTime() > LATE_MS;
  const text = isLate ? `${call.text} (This was due at ${dueAt.toISOString()}.)` : call.text;
  const now = flow.clock.now();
  await flow.db.transaction().execute(async (tx) => {
    if (!(await isNeeded({ db: tx }, { incident, step }))) return;
    if (!(await callOnce(flow, tx, { incident, step, dueAt, call: { ...call, text }, now }))) return;
    await addToTimeline(tx, { incidentId, at: now, kind: `clock-${step}`, actor: null, text });
    await enqueue(tx, refreshCard(incidentId, now));
  });
}

async function isNeeded(
  { db }: Pick<Flow, 'db'>,
  { incident, step }: { incident: Incident; step: LadderStep },
): Promise<boolean> {
  const { contained, acknowledged } = await milestonesOf(db, incident.id);
  const status = (await findIncident(db, incident.id))?.status ?? 'closed';
  if (!LIVE.includes(status) || status === 'mitigated' || contained !== undefined) return false;
  if (step === 'acknowledge') return acknowledged === undefined;
  return !(await timelineOf(db, incident.id)).some(({ kind }) => kind === WAIVED);
}

async function callOnce(
  flow: Flow,
  tx: Tx,
  about: { incident: Incident; step: LadderStep; dueAt: Date; call: LadderCall; now: Date },
): Promise<boolean> {
  const { incident, step, dueAt, call, now } = about;
  const { people, text } = call;
  const { id: incidentId } = incident;
  if (isWhole(flow, incident) && mayPage(incident))
    return summon(flow, tx, { incidentId, people, text, key: `ladder:${step}:${dueAt.toISOString()}`, now });
  const jobs = [
    invitePeople(incidentId, people, now),
    notice(incidentId, now, { text, mention: [...people], aloud: true }),
  ];
  await enqueue(
    tx,
    jobs.map((one) => ({
      ...one,
      dedupeKey: `ladder:${incidentId}:${step}:${dueAt.toISOString()}:${one.kind}`,
    })),
  );
  return true;
}
