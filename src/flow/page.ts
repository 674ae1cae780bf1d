import { z } from 'zod';
import { enqueue, type Job } from '../db/jobs.ts';
import { ExternalError } from '../errors.ts';
import { type Incident, nameOf } from '../incident/incident.ts';
import { addToTimeline, findIncident } from '../incident/incident-store.ts';
import { pagesOf, settlePage } from '../incident/page-store.ts';
import { redact } from '../redaction.ts';
import { refreshCard } from './effects.ts';
import { type Flow, serviceConfig } from './flow.ts';
import type { PageReceipt, PageRequest } from './ports.ts';

const pageJob = z.object({ incidentId: z.number(), purpose: z.enum(['page', 'ticket']) });
const settleJob = z.object({ incidentId: z.number(), to: z.enum(['acknowledged', 'resolved']) });

/** Pages or opens a ticket, and records the receipt. May come twice; PagerDuty joins the same key. */
export async function pageSomeone(flow: Flow, job: Job): Promise<void> {
  const { incidentId, purpose } = pageJob.parse(job.payload);
  const incident = await findIncident(flow.db, incidentId);
  if (incident === undefined || flow.pager === null)
    throw new Error(`nothing to page with for ${incidentId}`);
  try {
    const receipt = await flow.pager.page(await requestFor(flow, incident, purpose));
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

/** The text of a private incident's page is a link and nothing else. */
async function requestFor(flow: Flow, incident: Incident, purpose: 'page' | 'ticket'): Promise<PageRequest> {
  const config = serviceConfig(flow, incident.service);
  const name = nameOf(incident.id);
  const ticket = (await pagesOf(flow.db, incident.id)).find(
    (row) => row.purpose === 'ticket' && row.state === 'sent',
  );
  const link =
    incident.channel_id === null ? null : `https://slack.com/app_redirect?channel=${incident.channel_id}`;
  const about = `${incident.severity.toUpperCase()} ${incident.category} · ${incident.service ?? 'no service named'}`;
  const summary = incident.private
    ? `${name} (private): open the room`
    : `${name} ${about}: ${redact(incident.title)}`;
  return {
    key: `llm-incident/${flow.installation}/${incident.environment}/${name}`,
    title: summary,
    details: [summary, link === null ? null : `Room: ${link}`].filter((line) => line !== null).join('\n'),
    urgency: purpose === 'page' ? 'high' : 'low',
    serviceId: config?.pagerduty?.service ?? null,
    escalationPolicyId: config?.pagerduty?.escalation_policy ?? null,
    link,
    raise: purpose === 'page' ? ((ticket?.receipt ?? null) as PageReceipt | null) : null,
  };
}

/** What follows "Paged:" on the card. */
function describeReceipt(purpose: 'page' | 'ticket', receipt: PageReceipt): string {
  const where =
    receipt.pagerdutyId === null ? 'PagerDuty took the event' : `PagerDuty ${receipt.pagerdutyId}`;
  const what = purpose === 'page' ? where : `nobody; a ticket is open: ${where}`;
  const who = receipt.notified.length === 0 ? '' : `, on call: ${receipt.notified.join(', ')}`;
  return `${what}${receipt.url === null ? '' : ` (${receipt.url})`}${purpose === 'page' ? who : ''}`;
}

async function record(
  flow: Flow,
  page: {
    incidentId: number;
    purpose: 'page' | 'ticket';
    state: 'sent' | 'failed';
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
  });
}

/** Brings what PagerDuty shows into line with the room: acknowledged or resolved. */
export async function settlePages(flow: Flow, job: Job): Promise<void> {
  const { incidentId, to } = settleJob.parse(job.payload);
  if (flow.pager === null) return;
  const receipts = new Map<string, PageReceipt>();
  for (const row of await pagesOf(flow.db, incidentId)) {
    const receipt = row.receipt as PageReceipt | null;
    if (row.state === 'sent' && receipt !== null) receipts.set(receipt.pagerdutyId ?? receipt.key, receipt);
  }
  for (const receipt of receipts.values()) {
    await (to === 'acknowledged' ? flow.pager.acknowledge(receipt) : flow.pager.resolve(receipt));
  }
}
