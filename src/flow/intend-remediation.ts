import type { Tx } from '../db/database.ts';
import { enqueue } from '../db/jobs.ts';
import type { RuleVerdict } from '../detection/rule.ts';
import { type Incident, nameOf } from '../incident/incident.ts';
import { addToTimeline } from '../incident/incident-store.ts';
import { audit } from '../mitigation/audit-store.ts';
import { redact } from '../redaction.ts';
import { refreshCard } from './effects.ts';
import { type Flow, serviceConfig } from './flow.ts';

/**
 * Policy: a rule that remediates by itself acts on a named offender, under a standing approval that the team wrote
 * down, and only while automation is on. What it would do is written down either way, with what stands in the way.
 */
export async function intendRemediation(
  flow: Pick<Flow, 'config' | 'automation'>,
  tx: Tx,
  about: { incident: Incident; verdict: RuleVerdict; now: Date },
): Promise<void> {
  const { incident, verdict, now } = about;
  const offender = verdict.detail;
  const obstacle = obstacleOf(flow, incident, offender);
  const what = offender === null ? 'throttle the offender' : `throttle ${redact(offender)}`;
  const text = `Remediation wanted by ${verdict.rule}: ${what}. ${obstacle}`;
  await addToTimeline(tx, { incidentId: incident.id, at: now, kind: 'remediation', actor: null, text });
  await audit(tx, {
    at: now,
    actor: 'llm-incident',
    action: 'remediation.intended',
    subject: nameOf(incident.id),
    data: { rule: verdict.rule, obstacle },
  });
  await enqueue(tx, refreshCard(incident.id, now));
}

function obstacleOf(
  flow: Pick<Flow, 'config' | 'automation'>,
  incident: Incident,
  offender: string | null,
): string {
  if (flow.automation === 'off') return 'Not run: automation is switched off.';
  if (offender === null) return 'Not run: no single user or endpoint stands out.';
  const standing = serviceConfig(flow, incident.service)?.standing_approvals ?? [];
  if (!standing.includes('throttle-offender')) {
    return 'Not run: the service has no standing approval `throttle-offender`; a person has to do it.';
  }
  return 'Not run: no target of this service can throttle; a person has to do it.';
}
