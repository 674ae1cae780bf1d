import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import type { RuleVerdict } from '../../detection/rule.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { addToTimeline } from '../../incident/incident-store.ts';
import { audit } from '../../mitigation/audit-store.ts';
import { AUTOMATION } from '../../mitigation/plan.ts';
import { redact } from '../../redaction.ts';
import { refreshCard, throttleOffender } from '../effects.ts';
import { type Flow, serviceConfig } from '../flow.ts';
import { offenderIn } from './offender.ts';

type Intending = Pick<Flow, 'config' | 'automation' | 'targetFor'>;

/**
 * Policy: a rule that remediates by itself limits a named offender, under a standing approval that the team wrote down,
 * and only while automation is on; without that approval it proposes it to people. Never in a safety incident. What it
 * would do is written down either way, with what stands in the way.
 */
export async function intendRemediation(
  flow: Intending,
  tx: Tx,
  about: { incident: Incident; verdict: RuleVerdict; now: Date },
): Promise<void> {
  const { incident, verdict, now } = about;
  const offender = offenderIn(verdict.detail);
  const { says, goesOn } = wayOf(flow, incident, offender);
  const what = offender === null ? 'throttle the offender' : `throttle ${redact(offender)}`;
  const text = `Remediation wanted by ${verdict.rule}: ${what}. ${says}`;
  await addToTimeline(tx, { incidentId: incident.id, at: now, kind: 'remediation', actor: null, text });
  await audit(tx, {
    at: now,
    actor: AUTOMATION,
    action: 'remediation.intended',
    subject: nameOf(incident.id),
    data: { rule: verdict.rule, obstacle: says },
  });
  await enqueue(tx, refreshCard(incident.id, now));
  if (goesOn && offender !== null)
    await enqueue(tx, throttleOffender(incident.id, { rule: verdict.rule, offender }, now));
}

function wayOf(
  flow: Intending,
  { category, service, environment }: Incident,
  offender: string | null,
): { says: string; goesOn: boolean } {
  const stopped = (why: string) => ({ says: `Not run: ${why}`, goesOn: false });
  if (flow.automation === 'off') return stopped('automation is switched off.');
  if (category === 'safety') return stopped('nothing runs by itself in a safety incident.');
  if (offender === null) return stopped('no single user or endpoint stands out.');
  const target = service === null ? null : flow.targetFor({ service, environment });
  const canLimit = target?.can(`limit:${offender}`) ?? false;
  if (!(serviceConfig(flow, service)?.standing_approvals ?? []).includes('throttle-offender')) {
    const asked = canLimit ? 'a person has to decide, and it is proposed.' : 'a person has to do it.';
    const why = `the service has no standing approval \`throttle-offender\`; ${asked}`;
    return { says: `Not run: ${why}`, goesOn: canLimit };
  }
  if (!canLimit) return stopped('no target of this service can throttle; a person has to do it.');
  return { says: 'It runs by itself under the standing approval `throttle-offender`.', goesOn: true };
}
