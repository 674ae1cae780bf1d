import { enqueue } from '../../db/jobs.ts';
import { isAnswer } from '../../decision/walk.ts';
import { answerTree } from '../../flow/decide/walk-tree.ts';
import { showTree } from '../../flow/effects.ts';
import type { Flow } from '../../flow/flow.ts';
import { serviceConfig } from '../../flow/flow.ts';
import { acknowledge } from '../../flow/incident/acknowledge.ts';
import { contain } from '../../flow/incident/contain.ts';
import { resolve } from '../../flow/incident/end-incident.ts';
import { actionOf, COMMAND_OF_BUTTON } from '../../flow/incident/who-may.ts';
import type { WantedState } from '../../flow/mitigate/aim.ts';
import { castVote } from '../../flow/mitigate/cast-vote.ts';
import { proposeAtOnce } from '../../flow/mitigate/propose-at-once.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { findIncident } from '../../incident/incident-store.ts';
import type { VoteOutcome } from '../../mitigation/approval.ts';
import type { FormSubject } from '../views/vote-modals.ts';
import { over, proposalAnswer, voteAnswer } from './ask.ts';
import { refusal } from './gate.ts';
import { changeSeverity } from './people-commands.ts';
import { sayFalseAlarm } from './safety-commands.ts';

/** One click, with where it was made; `value` is what the button carried and may have been forged. */
export interface Click {
  flow: Flow;
  userId: string;
  channelId: string;
  value: string;
}

/** What to tell the person who clicked, or null when the room shows it anyway. */
export type Button = (click: Click) => Promise<string | null>;

export const FOREIGN = 'This button does not belong to this room. Nothing was changed.';

/** Wraps a button whose value is the incident of the room that it is in. */
function onIncident(run: (click: Click & { incident: Incident }) => Promise<string | null>): Button {
  return async (click) => {
    const id = /^\d{1,9}$/.test(click.value) ? Number(click.value) : -1;
    const incident = await findIncident(click.flow.db, id);
    if (incident === undefined || incident.channel_id !== click.channelId) return FOREIGN;
    return run({ ...click, incident });
  };
}

function gated(buttons: Record<string, Button>): Record<string, Button> {
  const entries = Object.entries(buttons).map(([id, run]): [string, Button] => {
    const command = COMMAND_OF_BUTTON[id];
    if (command === undefined) return [id, run];
    const gate = onIncident(async ({ flow, incident, userId: by }) => {
      const action = actionOf(command, incident);
      return action === null ? null : refusal(flow, { incident, by, action });
    });
    return [id, async (click) => (await gate(click)) ?? run(click)];
  });
  return Object.fromEntries(entries);
}

/** Sets the severity that the button names, where that is still up to whoever clicks. */
export function severityButton(wanted: string): Button {
  return onIncident(async (click) => {
    const { flow, incident, userId: by } = click;
    const action = actionOf({ word: 'severity', rest: wanted }, incident);
    const refused = action === null ? null : await refusal(flow, { incident, by, action });
    return refused ?? changeSeverity(click, wanted);
  });
}

/** The proposal that a button stands for; null where its value is none of ours. */
export function readVoteValue({ value, channelId }: Pick<Click, 'value' | 'channelId'>): FormSubject | null {
  const [, id, planHash] = /^(\d{1,9}):([0-9a-f]{64})$/.exec(value) ?? [];
  return planHash === undefined ? null : { mitigationId: Number(id), planHash, channelId };
}

/** Counts a click on a button of a proposal; no outcome where the button is none of ours. */
export async function castByButton(
  flow: Flow,
  click: Omit<Click, 'flow'> & { choice: 'approve' | 'reject' },
): Promise<{ outcome: VoteOutcome | null; about: FormSubject | null }> {
  const about = readVoteValue(click);
  if (about === null) return { outcome: null, about };
  const outcome = await castVote(flow, { ...about, choice: click.choice, voter: click.userId });
  return { outcome, about };
}

/** Proposes it; where a standing approval covers it, the click of someone who may runs it. */
async function atOnce(
  click: Pick<Click, 'flow' | 'userId' | 'channelId'> & { incident: Incident; wanted: WantedState },
): Promise<string> {
  const { flow, incident, userId, channelId, wanted } = click;
  const { proposed, vote } = await proposeAtOnce(flow, { incident, by: userId, wanted, channelId });
  return vote === null ? proposalAnswer(proposed) : voteAnswer(vote, incident.id);
}

/** Buttons of the room, each kept to those whom `who_may` names. */
export const BUTTONS: Record<string, Button> = gated({
  acknowledge: onIncident(async ({ flow, incident, userId }) => {
    const outcome = await acknowledge(flow, { incident, by: userId });
    if (outcome.kind === 'ended') return over(incident);
    return outcome.kind === 'already' ? 'Someone is on it already.' : `You have ${nameOf(incident.id)}.`;
  }),
  /** With a target: the fallback, as a proposal. Without one: a person says that it is contained. */
  contain: onIncident(async ({ flow, incident, userId, channelId }) => {
    if (serviceConfig(flow, incident.service)?.target !== undefined) {
      return atOnce({ flow, incident, userId, channelId, wanted: [{ setting: 'enabled', to: false }] });
    }
    const outcome = await contain(flow, { incident, by: userId, how: '' });
    if (outcome.kind === 'ended') return over(incident);
    return outcome.kind === 'already'
      ? 'It was contained before.'
      : `${nameOf(incident.id)} is recorded as contained.`;
  }),
  propose: onIncident((click) => atOnce({ ...click, wanted: 'known-good' })),
  approve: async ({ flow, ...click }) => {
    const { outcome } = await castByButton(flow, { ...click, choice: 'approve' });
    return outcome === null ? FOREIGN : voteAnswer(outcome, null);
  },
  false_alarm: onIncident(async ({ flow, incident, userId }) => {
    const { isDone, text } = await sayFalseAlarm(flow, { incident, by: userId, reason: 'false alarm' });
    return isDone ? null : text;
  }),
  resolve: onIncident(async ({ flow, incident, userId }) => {
    const outcome = await resolve(flow, { incident, by: userId, reason: '' });
    return outcome.kind === 'done'
      ? null
      : `${nameOf(incident.id)} is ${outcome.status}; nothing was changed.`;
  }),
});

/** The tree's buttons carry "incident:symptom" and "incident:symptom:step". */
export const chooseSymptom: Button = async ({ flow, channelId, value }) => {
  const [id = '', symptom = ''] = value.split(':');
  const incident = await findIncident(flow.db, /^\d{1,9}$/.test(id) ? Number(id) : -1);
  if (incident === undefined || incident.channel_id !== channelId) return FOREIGN;
  await enqueue(flow.db, showTree(incident.id, symptom, flow.clock.now()));
  return null;
};

export function answerStep(answer: string): Button {
  return async ({ flow, userId, channelId, value }) => {
    const [id = '', symptom = '', step = ''] = value.split(':');
    const incident = await findIncident(flow.db, /^\d{1,9}$/.test(id) ? Number(id) : -1);
    if (incident === undefined || incident.channel_id !== channelId || !isAnswer(answer)) return FOREIGN;
    const refused = await refusal(flow, { incident, by: userId, action: 'tree' });
    if (refused !== null) return refused;
    const outcome = await answerTree(flow, { incident, symptom, step, answer, by: userId });
    return outcome.kind === 'already' ? 'That step was answered before; its answer stands.' : null;
  };
}
