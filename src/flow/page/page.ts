import { z } from 'zod';
import { enqueue, type Job } from '../../db/jobs.ts';
import { ExternalError } from '../../errors.ts';
import { pageKeysOf } from '../../incident/alert-store.ts';
import { type Incident, LIVE, mayPage, nameOf } from '../../incident/incident.ts';
import { addToTimeline, findIncident } from '../../incident/incident-store.ts';
import { isNeededElsewhere, pagesOf, settlePage } from '../../incident/page-store.ts';
import { isOverInPager } from '../../incident/pager-state-store.ts';
import { peoplePagesOf } from '../../incident/people-page-store.ts';
import { redact } from '../../redaction.ts';
import { lookAtNotifications, noteOnPage, refreshCard } from '../effects.ts';
import { type Flow, serviceConfig } from '../flow.ts';
import { requestKeyOf } from './page-key.ts';
import type { Adopted, PageReceipt, PageRequest, Pager, PeopleReceipt } from './pager-port.ts';

const pageJob = z.object({ incidentId: z.number(), purpose: z.enum(['page', 'ticket']) });
const settleJob = z.object({ incidentId: z.number(), to: z.enum(['acknowledged', 'resolved']) });

/**
 * Pages or opens a ticket, and records the receipt. May come twice; PagerDuty joins the same key. Policy: what is asked
 * while the incident is live and comes to its turn when that is over wakes nobody.
 */
export async function pageSomeone(flow: Flow, job: Job): Promise<void> {
  const { incidentId, purpose } = pageJob.parse(job.payload);
  const incident = await findIncident(flow.db, incidentId);
  if (incident === undefined || flow.pager === null)
    throw new Error(`nothing to page with for ${incidentId}`);
  const asked = (await pagesOf(flow.db, incidentId)).find((row) => row.purpose === purpose);
  if (asked?.state !== 'pending') return;
  const before = asked.receipt as PageReceipt | null;
  if (before !== null) await endBefore(flow, incident, before);
  const quiet = whyNobody(incident);
  if (quiet !== null)
    return record(flow, { incidentId, purpose, state: 'skipped', reason: quiet, receipt: null });
  try {
    const request = await requestFor(flow, incident, purpose);
    const pager = flow.pager.of(incident.service);
    const receipt = (await adopted(flow, job, { request, pager, before })) ?? (await pager.page(request));
    await record(flow, {
      incidentId,
      purpose,
      state: 'sent',
      reason: describeReceipt(purpose, receipt),
      receipt,
    });
  } catch (thrown) {
    if (!(thrown instanceof ExternalError) || thrown.retryable) throw thrown;
    const reason = `nobody; ${thrown.message}`;
    await record(flow, { incidentId, purpose, state: 'failed', reason, receipt: null });
  }
}

function whyNobody(incident: Incident): string | null {
  if (!LIVE.includes(incident.status)) return 'nobody; it was over before PagerDuty could be reached';
  return mayPage(incident) ? null : 'nobody; only production pages, and drills do not';
}

/**
 * Policy: what is paged anew must ring, so the page before ends first; not what another system opened, and not what
 * another live incident of ours stands on.
 */
async function endBefore(
  flow: Flow,
  { id: incidentId, service }: Incident,
  receipt: PageReceipt,
): Promise<void> {
  if (receipt.adopted || (await isNeededElsewhere(flow.db, { receipt, incidentId }))) return;
  try {
    await flow.pager?.of(service).resolve(receipt);
  } catch (thrown) {
    if (!(thrown instanceof ExternalError) || thrown.retryable) throw thrown;
    flow.log.warn({ incidentId, error: thrown.message }, 'the page before could not be ended');
  }
}

/** PagerDuty shows an event seconds after it took it: an incident that Alertmanager opens is looked for that long. */
const ADOPT_WITHIN_MS = 5_000;
const LOOK_AGAIN_MS = 1_000;

/**
 * Policy: what Alertmanager's own receiver has opened for these alerts is adopted, never doubled. Where it cannot be
 * looked up the page goes out: it may come twice but is never lost.
 */
async function adopted(
  flow: Flow,
  job: Job,
  { request, pager, before }: { request: PageRequest; pager: Pager; before: PageReceipt | null },
): Promise<PageReceipt | null> {
  const { incidentId } = pageJob.parse(job.payload);
  const keys = request.raise === null ? await pageKeysOf(flow.db, incidentId) : [];
  if (keys.length === 0) return null;
  const found = await pager.adopt(keys, request).catch((thrown: unknown): Adopted => {
    if (!(thrown instanceof ExternalError) || thrown.retryable) throw thrown;
    flow.log.warn({ incidentId, error: thrown.message }, 'PagerDuty could not be asked what is open');
    return { kind: 'cannot-look' };
  });
  // The page before rings nobody again.
  if (found.kind === 'adopted')
    return found.receipt.pagerdutyId === before?.pagerdutyId ? null : found.receipt;
  if (found.kind === 'none' && Date.now() - job.created_at.getTime() < ADOPT_WITHIN_MS) {
    throw new ExternalError('no incident of Alertmanager yet', {
      service: 'PagerDuty',
      retryable: true,
      retryAfterMs: LOOK_AGAIN_MS,
    });
  }
  return null;
}

/** Tells those who look at an adopted incident where the room is, once there is one. */
export async function notePage(flow: Flow, job: Job): Promise<void> {
  const { incidentId, purpose } = pageJob.parse(job.payload);
  const incident = await findIncident(flow.db, incidentId);
  const page = (await pagesOf(flow.db, incidentId)).find((row) => row.purpose === purpose);
  const receipt = (page?.receipt ?? null) as PageReceipt | null;
  if (incident === undefined || receipt === null || flow.pager === null) return;
  const { details, link } = await requestFor(flow, incident, purpose);
  if (link === null) {
    throw new ExternalError('the room is not open yet', { service: 'Slack', retryable: true });
  }
  await flow.pager.of(incident.service).note(receipt, details);
}

/** The text of a private incident's page is a link and nothing else. */
export async function requestFor(
  flow: Flow,
  incident: Incident,
  purpose: 'page' | 'ticket',
): Promise<PageRequest> {
  const config = serviceConfig(flow, incident.service);
  const name = nameOf(incident.id);
  const link =
    incident.channel_id === null ? null : `https://slack.com/app_redirect?channel=${incident.channel_id}`;
  const about = `${incident.severity.toUpperCase()} ${incident.category} · ${incident.service ?? 'no service named'}`;
  const summary = incident.private
    ? `${name} (private): open the room`
    : `${name} ${about}: ${redact(incident.title)}`;
  return {
    key: requestKeyOf(flow, incident),
    title: summary,
    details: [summary, link === null ? null : `Room: ${link}`, ...withoutSlack(flow, incident)]
      .filter((line) => line !== null)
      .join('\n'),
    urgency: purpose === 'page' ? 'high' : 'low',
    serviceId: config?.pagerduty?.service ?? null,
    escalationPolicyId: config?.pagerduty?.escalation_policy ?? null,
    link,
    priority: flow.config.pagerduty_priorities[incident.severity] ?? null,
    raise: purpose === 'page' ? await openTicketOf(flow, incident.id) : null,
  };
}

/** Null also where it is resolved there, or was raised to a page before. */
async function openTicketOf({ db }: Flow, incidentId: number): Promise<PageReceipt | null> {
  const pages = await pagesOf(db, incidentId);
  if (pages.some((row) => row.purpose === 'page' && row.receipt !== null)) return null;
  const ticket = pages.find((row) => row.purpose === 'ticket' && row.state === 'sent');
  const receipt = (ticket?.receipt ?? null) as PageReceipt | null;
  return receipt === null || (await isOverInPager(db, receipt)) ? null : receipt;
}

/** What contains it while Slack is away: the terminal, and the vendor's own switch. */
function withoutSlack(flow: Flow, { private: isPrivate, service, environment }: Incident): string[] {
  const target = isPrivate || service === null ? null : flow.targetFor({ service, environment });
  if (target === null) return [];
  const terminal = `Without Slack: npm run contain -- ${service} --reason TEXT`;
  const place = target.byHand?.();
  return [terminal, ...(place === undefined ? [] : [`By hand: ${place}`])];
}

/** What follows "Paged:" on the card. */
function describeReceipt(purpose: 'page' | 'ticket', receipt: PageReceipt): string {
  const where =
    receipt.pagerdutyId === null
      ? 'PagerDuty took the event'
      : `PagerDuty ${receipt.pagerdutyId}${receipt.adopted ? ', opened by Alertmanager' : ''}`;
  const what = purpose === 'page' ? where : `nobody; a ticket is open: ${where}`;
  const who = receipt.notified.length === 0 ? '' : `, on call: ${receipt.notified.join(', ')}`;
  return `${what}${receipt.url === null ? '' : ` (${receipt.url})`}${purpose === 'page' ? who : ''}`;
}

async function record(
  flow: Flow,
  page: {
    incidentId: number;
    purpose: 'page' | 'ticket';
    state: 'sent' | 'skipped' | 'failed';
    reason: string;
    receipt: PageReceipt | null;
  },
): Promise<void> {
  const now = flow.clock.now();
  await flow.db.transaction().execute(async (tx) => {
    await settlePage(tx, { ...page, at: now });
    const entry = {
      incidentId: page.incidentId,
      at: now,
      kind: page.purpose,
      actor: null,
      text: page.reason,
    };
    await addToTimeline(tx, entry);
    await enqueue(tx, refreshCard(page.incidentId, now));
    const pagerdutyId = page.receipt?.pagerdutyId ?? null;
    if (pagerdutyId === null) return;
    if (page.receipt?.adopted) await enqueue(tx, noteOnPage({ ...page, pagerdutyId }, now));
    // A ticket wakes nobody, so nobody needs to have been notified.
    if (page.purpose === 'page')
      await enqueue(tx, lookAtNotifications({ incidentId: page.incidentId, look: 1 }, now));
  });
}

/**
 * Brings what PagerDuty shows into line with the room. Policy: acknowledging is said of the page alone, because who was
 * called by name answers for themselves; the end is said of everything that was opened for the incident.
 */
export async function settlePages(flow: Flow, job: Job): Promise<void> {
  const { incidentId, to } = settleJob.parse(job.payload);
  const incident = await findIncident(flow.db, incidentId);
  if (flow.pager === null || incident === undefined) return;
  const pager = flow.pager.of(incident.service);
  for (const receipt of await receiptsOf(flow, incidentId, to)) {
    // One incident of Alertmanager may stand for several of ours; it ends with the last one.
    if (to === 'resolved' && (await isNeededElsewhere(flow.db, { receipt, incidentId }))) continue;
    await (to === 'acknowledged' ? pager.acknowledge(receipt) : pager.resolve(receipt));
  }
}

async function receiptsOf(
  flow: Flow,
  incidentId: number,
  to: 'acknowledged' | 'resolved',
): Promise<PageReceipt[]> {
  const pages = (await pagesOf(flow.db, incidentId))
    .filter((row) => row.state === 'sent')
    .map((row) => row.receipt as PageReceipt | null);
  const people = to === 'acknowledged' ? [] : await peoplePagesOf(flow.db, incidentId);
  const own = people.map((row) => (row.receipt as PeopleReceipt | null)?.own ?? null);
  const all = [...pages, ...own].filter((receipt) => receipt !== null);
  return [...new Map(all.map((receipt) => [receipt.pagerdutyId ?? receipt.key, receipt])).values()];
}
