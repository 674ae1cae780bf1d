import { contain as containVerb } from '../../flow/incident/contain.ts';
import { keepDeclineReason } from '../../flow/incident/decline-reason.ts';
import { resolve as resolveVerb } from '../../flow/incident/end-incident.ts';
import { waiveContainment } from '../../flow/incident/waive-containment.ts';
import type { WantedState } from '../../flow/mitigate/aim.ts';
import { propose } from '../../flow/mitigate/propose.ts';
import { describeStop, stopShift } from '../../flow/mitigate/stop-shift.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { type Asked, MITIGATE_USAGE, readAsked } from '../../mitigation/wanted.ts';
import { escapeLine } from '../mrkdwn.ts';
import { type Ask, inRoom, over, proposalAnswer } from './ask.ts';
import { sayFalseAlarm } from './safety-commands.ts';
import { voteByCommand } from './vote-commands.ts';

export const contain = inRoom(async ({ flow, incident, userId, text }) => {
  const [, reason] = /^waive(?:\s+(.*))?$/is.exec(text.trim()) ?? [];
  if (/^waive\b/i.test(text.trim())) return waive(flow, { incident, by: userId, reason: reason ?? '' });
  const outcome = await containVerb(flow, { incident, by: userId, how: text.trim() });
  if (outcome.kind === 'ended') return over(incident);
  if (outcome.kind === 'already') return `${nameOf(incident.id)} was contained before; that time stands.`;
  return `${nameOf(incident.id)} is recorded as contained.`;
});

async function waive(
  flow: Ask['flow'],
  asked: { incident: Incident; by: string; reason: string },
): Promise<string> {
  const { kind } = await waiveContainment(flow, asked);
  const name = nameOf(asked.incident.id);
  switch (kind) {
    case 'waived':
      return `${name} is not contained, on purpose: nobody is called for it any more, and your reason stands on the card.`;
    case 'no-reason':
      return 'Say why it is not contained: `contain waive REASON`.';
    case 'contained':
      return `${name} is contained; there is nothing to waive.`;
    case 'already':
      return 'That was decided before; its reason stands on the card.';
    case 'ended':
      return over(asked.incident);
  }
}

export const mitigate = inRoom(async (asking) => {
  const asked = readAsked(asking.text);
  if (asked === null) return MITIGATE_USAGE;
  if (asked.kind === 'wrong') return escapeLine(asked.problem);
  if ('reason' in asked) return (await stopInstead(asking, asked)) ?? (await voteByCommand(asking, asked));
  if (asked.kind === 'stop') return stopShiftHere(asking, asked.mitigationId);
  const { flow, incident, userId: by } = asking;
  return proposalAnswer(await propose(flow, { incident, by, wanted: wantedBy(asked) }));
});

async function stopShiftHere(
  { flow, incident, userId: by }: Ask & { incident: Incident },
  id: number,
): Promise<string> {
  return describeStop(await stopShift(flow, { incident, mitigationId: id, by }), id);
}

/** Refusing a shift that runs already is stopping it; null where there is nothing to stop. */
async function stopInstead(
  { flow, incident, userId: by }: Ask & { incident: Incident },
  { kind, mitigationId }: Extract<Asked, { reason: string }>,
): Promise<string | null> {
  if (kind === 'break-glass') return null;
  const outcome = await stopShift(flow, { incident, mitigationId, by });
  const isStopped = outcome.kind === 'stopped' || outcome.kind === 'stopping';
  return isStopped ? describeStop(outcome, mitigationId) : null;
}

function wantedBy(asked: Asked & { kind: 'known-good' | 'named' | 'undo' | 'shift' }): WantedState {
  if (asked.kind === 'known-good') return 'known-good';
  if (asked.kind === 'shift') return { shift: asked.shift };
  return asked.kind === 'undo' ? { undo: asked.mitigationId } : asked.wanted;
}

/** `resolve [@OWNER] [WHAT]`: the mention says who writes the post-mortem. */
export const resolve = inRoom(async ({ flow, incident, userId, text }) => {
  const [, owner = null, reason = ''] =
    /^(?:<@([UW][A-Z0-9]+)(?:\|[^>]*)?>)?\s*([\s\S]*)$/.exec(text.trim()) ?? [];
  const outcome = await resolveVerb(flow, { incident, by: userId, reason: reason.trim(), owner });
  if (outcome.kind === 'not-possible')
    return `${nameOf(incident.id)} is ${outcome.status}; it cannot be resolved.`;
  return `${nameOf(incident.id)} is resolved. The post-mortem is being written and is due in 48 hours.`;
});

export const decline = inRoom(async ({ flow, incident, userId, text }) => {
  const reason = text.trim();
  if (reason === '') return 'Say why it is no incident: `decline REASON`.';
  if (incident.status === 'declined' && (await keepDeclineReason(flow, { incident, by: userId, reason })))
    return 'The reason is kept.';
  return (await sayFalseAlarm(flow, { incident, by: userId, reason })).text;
});
