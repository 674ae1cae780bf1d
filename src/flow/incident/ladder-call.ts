import { ExternalError, messageOf } from '../../errors.ts';
import type { LadderStep } from '../../incident/clock-store.ts';
import { type Incident, mayPage, nameOf } from '../../incident/incident.ts';
import { milestonesOf } from '../../incident/incident-store.ts';
import { contains } from '../../mitigation/contains.ts';
import { type Mitigation, mitigationsOf } from '../../mitigation/mitigation-store.ts';
import { parsePlan } from '../../mitigation/plan.ts';
import { describePlan } from '../../mitigation/shift.ts';
import { type Flow, serviceConfig } from '../flow.ts';
import { approverIds, approversOf, standingNow } from '../mitigate/approvers.ts';
import { pagersOnCall, slackIdOf } from '../page/on-call.ts';
import type { OnCallPerson } from '../page/pager-port.ts';
import { IN_PAGERDUTY } from '../page/summon.ts';

/** Who is called at a step of the ladder, and what they read. */
export interface LadderCall {
  /** Slack ids, or `pagerduty:ID`; empty: nobody is known. */
  people: string[];
  text: string;
}

interface Climbing {
  incident: Incident;
  step: LadderStep;
  /** How often it was tried: PagerDuty is not waited for long. */
  attempts: number;
}

export async function ladderCall(flow: Flow, climbing: Climbing): Promise<LadderCall> {
  switch (climbing.step) {
    case 'acknowledge':
      return onCallAgain(flow, climbing);
    case 'contain':
      return fallback(flow, climbing);
    case 'escalate':
      return nextLevel(flow, climbing);
  }
}

async function onCallAgain(flow: Flow, climbing: Climbing): Promise<LadderCall> {
  const { incident } = climbing;
  const minutes = flow.config.acknowledge_within_minutes;
  const owner = serviceConfig(flow, incident.service)?.owner;
  const onCall = await onLevel(flow, climbing, 1);
  return {
    people: onCall.length > 0 || owner === undefined ? onCall : [owner],
    text: `Nobody has said *I'm on it* for ${nameOf(incident.id)} in ${minutes} minutes. The button is on the card.`,
  };
}

/** Those who may approve the fallback; whoever proposed it may not. */
async function fallback(flow: Flow, { incident }: Climbing): Promise<LadderCall> {
  const proposal = await openFallback(flow, incident);
  const known = [...approverIds(flow, incident.service), ...(await onCallApprovers(flow, incident))];
  const others = [...new Set(known)].filter((id) => id !== proposal?.proposed_by);
  const minutes = flow.config.contain_within_minutes;
  return {
    people: others,
    text: `${nameOf(incident.id)} is not contained after ${minutes} minutes. ${nextStep(flow, incident, proposal)}`,
  };
}

/** Beside those who are named: who is on call by the policies among the approvers. */
async function onCallApprovers(flow: Flow, incident: Incident): Promise<string[]> {
  const { service } = incident;
  const byPolicy = (serviceConfig(flow, service)?.approvers ?? []).some((one) => typeof one !== 'string');
  return byPolicy && mayPage(incident) ? approversOf(flow, service) : [];
}

async function openFallback(flow: Flow, { id }: Incident): Promise<Mitigation | undefined> {
  const open = (await mitigationsOf(flow.db, id)).filter(({ status }) => status === 'proposed');
  return open.findLast(({ plan }) => contains(parsePlan(plan)));
}

function nextStep(flow: Flow, incident: Incident, proposal: Mitigation | undefined): string {
  if (proposal !== undefined) {
    const what = describePlan(parsePlan(proposal.plan));
    return `Proposal ${proposal.id} waits for one of you: ${what}. Its buttons are in this room.`;
  }
  const { service, environment } = incident;
  if (service === null || flow.targetFor({ service, environment }) === null)
    return 'No target is configured for it: switch it off where it runs, then say so with `/llm-incident contain HOW`.';
  const isStanding = standingNow(flow, { service, environment }).some(({ what }) => what === 'disable');
  const how = isStanding
    ? 'disables the feature at one click of yours'
    : 'disables the feature once one of you approves';
  return `The fallback is one button away: *Disable* on the card ${how}.`;
}

async function nextLevel(flow: Flow, climbing: Climbing): Promise<LadderCall> {
  const { incident } = climbing;
  const { acknowledged } = await milestonesOf(flow.db, incident.id);
  const minutes = Math.max(flow.config.escalate_after_minutes, flow.config.contain_within_minutes);
  const taken = acknowledged === undefined ? ' Nobody has acknowledged it.' : '';
  const next = 'Disable it on the card, or say why it must stay on: `/llm-incident contain waive REASON`.';
  const leads = mayPage(incident) ? flow.config.contacts.engineering_lead : [];
  return {
    people: [...new Set([...(await onLevel(flow, climbing, 2)), ...leads])],
    text: `${nameOf(incident.id)} is not contained after ${minutes} minutes.${taken} ${next} Nobody else is called; the card counts on.`,
  };
}

const WAITED_FOR = 3;

/**
 * Policy: PagerDuty is asked three times who is on call; then those who are called without it are called. Outside
 * production and in drills nobody is on call, so it is not asked.
 */
async function onLevel(flow: Flow, { incident, attempts }: Climbing, level: number): Promise<string[]> {
  const { service } = incident;
  const policy = serviceConfig(flow, service)?.pagerduty?.escalation_policy;
  if (policy === undefined || !mayPage(incident)) return [];
  try {
    const found = await pagersOnCall(flow, { escalation_policy: policy, levels: [level], service });
    return await Promise.all(found.map((user) => calledAs(flow, user, attempts)));
  } catch (thrown) {
    if (!(thrown instanceof ExternalError) || (thrown.retryable && attempts < WAITED_FOR)) throw thrown;
    flow.log.warn({ policy, error: messageOf(thrown) }, 'who is on call could not be told');
    return [];
  }
}

/** Policy: a phone does not wait for Slack: whom it cannot name at the third try is called by PagerDuty alone. */
async function calledAs(flow: Flow, user: OnCallPerson, attempts: number): Promise<string> {
  const byPhone = `${IN_PAGERDUTY}${user.id}`;
  try {
    return (await slackIdOf(flow, user)) ?? byPhone;
  } catch (thrown) {
    if (!(thrown instanceof ExternalError) || (thrown.retryable && attempts < WAITED_FOR)) throw thrown;
    return byPhone;
  }
}
