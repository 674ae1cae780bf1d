import { z } from 'zod';
import { enqueue, type Job } from '../../db/jobs.ts';
import { ExternalError } from '../../errors.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { addToTimeline, findIncident } from '../../incident/incident-store.ts';
import { pagesOf } from '../../incident/page-store.ts';
import { keepOwnNote, notePagerState } from '../../incident/pager-state-store.ts';
import { redact } from '../../redaction.ts';
import { notice, refreshCard } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { nameOrId } from '../room/display-name.ts';
import { pagerUserOf } from './on-call.ts';
import type { PageReceipt } from './pager-port.ts';

const about = z.object({ incidentId: z.number() });
const handing = about.extend({ people: z.array(z.string()), by: z.string() });
const noted = about.extend({ text: z.string(), by: z.string() });

/** What is open in PagerDuty for an incident: the page, else the ticket. */
export async function openReceiptOf(flow: Pick<Flow, 'db'>, incidentId: number): Promise<PageReceipt | null> {
  const sent = (await pagesOf(flow.db, incidentId)).filter((row) => row.state === 'sent');
  const receipts = sent.sort((a, b) => a.purpose.localeCompare(b.purpose)).map((row) => row.receipt);
  return (receipts as (PageReceipt | null)[]).find((one) => one?.pagerdutyId) ?? null;
}

/** The severity of the room as PagerDuty's priority, by the names in the configuration. */
export async function prioritisePage(flow: Flow, job: Job): Promise<void> {
  const { incidentId } = about.parse(job.payload);
  const incident = await findIncident(flow.db, incidentId);
  const receipt = await openReceiptOf(flow, incidentId);
  const name = incident === undefined ? undefined : flow.config.pagerduty_priorities[incident.severity];
  if (flow.pager === null || incident === undefined || receipt === null || name === undefined) return;
  const pager = flow.pager.of(incident.service);
  if (!pager.canAsk) return;
  const known = await orSaid(flow, incident, () => pager.prioritise(receipt, name));
  if (known === false)
    await say(flow, incident, `PagerDuty has no priority "${name}"; nothing was changed there.`);
}

/** Hands the page over to people of the room. */
export async function reassignPage(flow: Flow, job: Job): Promise<void> {
  const { incidentId, people, by } = handing.parse(job.payload);
  const incident = await findIncident(flow.db, incidentId);
  const receipt = await openReceiptOf(flow, incidentId);
  if (flow.pager === null || incident === undefined || receipt === null) return;
  const pager = flow.pager.of(incident.service);
  const found = await Promise.all(
    people.map(async (slackId) => ({
      name: await nameOrId(flow, slackId),
      userId: await pagerUserOf(flow, { slackId, service: incident.service }),
    })),
  );
  const userIds = found.map(({ userId }) => userId).filter((id) => id !== null);
  const names = found.filter(({ userId }) => userId !== null).map(({ name }) => name);
  const unknown = found.filter(({ userId }) => userId === null).map(({ name }) => name);
  if (unknown.length > 0) await say(flow, incident, `No PagerDuty user: ${unknown.join(', ')}.`);
  if (userIds.length === 0) return;
  const isDone = await orSaid(flow, incident, () => pager.reassign(receipt, userIds).then(() => true));
  if (isDone) await recordHanding(flow, incident, { receipt, names, by });
}

async function recordHanding(
  flow: Flow,
  { id: incidentId }: Incident,
  { receipt, names, by }: { receipt: PageReceipt; names: string[]; by: string },
): Promise<void> {
  const now = flow.clock.now();
  const value = `handed to ${names.join(', ')}`;
  await flow.db.transaction().execute(async (tx) => {
    // PagerDuty's clock, not the one that tests move: its own word on this comes later and counts more.
    const state = { pagerdutyId: receipt.pagerdutyId ?? '', aspect: 'people' as const, actor: null };
    await notePagerState(tx, { ...state, value, at: new Date() });
    const text = `The page was ${value}.`;
    await addToTimeline(tx, { incidentId, at: now, kind: 'page', actor: by, text });
    await enqueue(tx, refreshCard(incidentId, now));
  });
}

/** Policy: a note is known as ours before it leaves, so that PagerDuty's word of it is no news; private ones stay. */
export async function mirrorNote(flow: Flow, job: Job): Promise<void> {
  const { incidentId, text, by } = noted.parse(job.payload);
  const incident = await findIncident(flow.db, incidentId);
  const receipt = await openReceiptOf(flow, incidentId);
  if (flow.pager === null || incident === undefined || incident.private || !receipt?.pagerdutyId) return;
  const pager = flow.pager.of(incident.service);
  if (!pager.canAsk) return;
  const note = `${nameOf(incidentId)}, ${await nameOrId(flow, by)}: ${redact(text)}`;
  await keepOwnNote(flow.db, { pagerdutyId: receipt.pagerdutyId, text: note, at: flow.clock.now() });
  await orSaid(flow, incident, () => pager.note(receipt, note).then(() => true));
}

/** What PagerDuty refuses for good is said in the room; null then. */
async function orSaid<T>(flow: Flow, incident: Incident, work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof ExternalError) || thrown.retryable) throw thrown;
    await say(flow, incident, `PagerDuty refused: ${thrown.message}`);
    return null;
  }
}

async function say(flow: Flow, { id }: Incident, text: string): Promise<void> {
  await enqueue(flow.db, notice(id, flow.clock.now(), { text, aloud: true }));
}
