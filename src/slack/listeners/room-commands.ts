import { enqueue } from '../../db/jobs.ts';
import type { Severity } from '../../db/schema.ts';
import { messageOf } from '../../errors.ts';
import { ACTION_USAGE, addActionItem, readActionItem } from '../../flow/action-items.ts';
import type { WantedState } from '../../flow/aim.ts';
import { castVote } from '../../flow/cast-vote.ts';
import { contain as containVerb } from '../../flow/contain.ts';
import { showTree } from '../../flow/effects.ts';
import {
  close as closeVerb,
  decline as declineVerb,
  resolve as resolveVerb,
} from '../../flow/end-incident.ts';
import { serviceConfig } from '../../flow/flow.ts';
import { requestPageByHand } from '../../flow/page-by-hand.ts';
import { answerQuestion } from '../../flow/postmortem-answers.ts';
import { propose } from '../../flow/propose.ts';
import { setSeverity } from '../../flow/set-severity.ts';
import { nearestSymptom } from '../../flow/walk-tree.ts';
import { describeDocuments, rewritePostmortem } from '../../flow/write-postmortem.ts';
import { nameOf, SEVERITIES } from '../../incident/incident.ts';
import { findMitigation } from '../../mitigation/mitigation-store.ts';
import { type Asked, MITIGATE_USAGE, readAsked } from '../../mitigation/wanted.ts';
import { escapeLine } from '../mrkdwn.ts';
import { factLine, outsideLine } from '../views/outside-text.ts';
import { type Ask, inRoom, over, proposalAnswer, voteAnswer } from './ask.ts';

export const contain = inRoom(async ({ flow, incident, userId, text }) => {
  const outcome = await containVerb(flow, { incident, by: userId, how: text.trim() });
  if (outcome.kind === 'ended') return over(incident);
  if (outcome.kind === 'already') return `${nameOf(incident.id)} was contained before; that time stands.`;
  return `${nameOf(incident.id)} is recorded as contained.`;
});

export const tree = inRoom(async ({ flow, incident, text }) => {
  const word = text.trim();
  const found = word === '' ? { kind: 'none' as const } : nearestSymptom(word);
  if (found.kind === 'unknown')
    return `No symptom "${escapeLine(word)}". Nearest: ${found.nearest.join(', ')}.`;
  await enqueue(flow.db, showTree(incident.id, found.kind === 'found' ? found.id : null, flow.clock.now()));
  return 'The decision tree is in the thread of the card.';
});

export const mitigate = inRoom(async (asking) => {
  const asked = readAsked(asking.text);
  if (asked === null) return MITIGATE_USAGE;
  if (asked.kind === 'wrong') return escapeLine(asked.problem);
  if (asked.kind === 'reject') return reject(asking, asked);
  const { flow, incident, userId: by } = asking;
  return proposalAnswer(await propose(flow, { incident, by, wanted: wantedBy(asked) }));
});

function wantedBy(asked: Asked & { kind: 'known-good' | 'named' | 'undo' }): WantedState {
  if (asked.kind === 'known-good') return 'known-good';
  return asked.kind === 'undo' ? { undo: asked.mitigationId } : asked.wanted;
}

/** The button's click with a reason. */
async function reject(
  { flow, userId: voter, channelId }: Pick<Ask, 'flow' | 'userId' | 'channelId'>,
  { mitigationId, reason }: { mitigationId: number; reason: string },
): Promise<string> {
  const known = await findMitigation(flow.db, mitigationId);
  const planHash = known?.plan_hash ?? '';
  const ballot = { mitigationId, planHash, choice: 'reject' as const, voter, channelId, reason };
  return voteAnswer(await castVote(flow, ballot), null);
}

export const page = inRoom(async ({ flow, incident, userId }) =>
  requestPageByHand(flow, { incident, by: userId }),
);

export const oncall = inRoom(async ({ flow, incident }) => {
  const policy = serviceConfig(flow, incident.service)?.pagerduty?.escalation_policy;
  if (flow.pager === null) return 'PagerDuty is not configured.';
  if (policy === undefined) return 'No `pagerduty.escalation_policy` is configured for this service.';
  try {
    const people = await flow.pager.onCall(policy);
    if (people.length === 0) return 'PagerDuty says that nobody is on call.';
    return people.map((person) => `Level ${person.level}: ${escapeLine(person.name)}`).join('\n');
  } catch (thrown) {
    return `PagerDuty could not be asked: ${factLine(messageOf(thrown), 200)}.`;
  }
});

export const severity = inRoom(async ({ flow, incident, userId, text }) => {
  const wanted = SEVERITIES.find((known) => known === text.trim().toLowerCase());
  if (wanted === undefined)
    return `Severity is ${incident.severity}. Change it with \`severity sev1\`, \`sev2\` or \`sev3\`.`;
  const outcome = await setSeverity(flow, { incident, by: userId, severity: wanted });
  if (outcome.kind === 'ended') return over(incident);
  if (outcome.kind === 'same') return `The severity is ${wanted} already.`;
  if (outcome.kind === 'safety-stays-sev1') return 'A safety incident is always sev1.';
  return `Severity is ${wanted} now. ${consequence(wanted)}`;
});

function consequence(severityNow: Severity): string {
  if (severityNow === 'sev1') return 'The on-call engineer is paged; the card shows the receipt.';
  return severityNow === 'sev2' ? 'A ticket is opened; nobody is woken.' : 'Nobody is paged.';
}

export const resolve = inRoom(async ({ flow, incident, userId, text }) => {
  const outcome = await resolveVerb(flow, { incident, by: userId, reason: text.trim() });
  if (outcome.kind === 'not-possible')
    return `${nameOf(incident.id)} is ${outcome.status}; it cannot be resolved.`;
  return `${nameOf(incident.id)} is resolved. The post-mortem is being written and is due in 48 hours.`;
});

export const decline = inRoom(async ({ flow, incident, userId, text }) => {
  const reason = text.trim();
  if (reason === '') return 'Say why it is no incident: `decline REASON`.';
  const outcome = await declineVerb(flow, { incident, by: userId, reason });
  if (outcome.kind === 'not-possible')
    return `${nameOf(incident.id)} is ${outcome.status}; it cannot be declined.`;
  return `${nameOf(incident.id)} is declined as a false alarm.`;
});

export const close = inRoom(async ({ flow, incident, userId, text }) => {
  const outcome = await closeVerb(flow, { incident, by: userId, reason: text.trim() });
  if (outcome.kind === 'not-possible')
    return `${nameOf(incident.id)} is ${outcome.status}; resolve it before you close it.`;
  return `${nameOf(incident.id)} is closed; its reminders have stopped.`;
});

export const postmortem = inRoom(async ({ flow, incident, userId, text }) => {
  const [word, ...rest] = text.trim().split(/\s+/);
  if (word === 'action') {
    const item = readActionItem(rest.join(' '));
    if (item === null) return ACTION_USAGE;
    await addActionItem(flow, { incident, by: userId, item });
    return `Kept: ${outsideLine(item.text, 200)}, by <@${item.owner}>.`;
  }
  if (word !== 'answer') return rewritePostmortem(flow, incident);
  return answerQuestion(flow, { incident, by: userId, text: rest.join(' ') });
});

export const evalCases = inRoom(async ({ flow, incident }) => describeDocuments(flow, incident));
