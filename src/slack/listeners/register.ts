import type { App, BlockAction } from '@slack/bolt';
import type { MessageDeletedEvent } from '@slack/types';
import type { Flow } from '../../flow/flow.ts';
import { recordDeletion, recordMessage } from '../../flow/room/record-room.ts';
import { readMessage, toChannelMessage } from '../history.ts';
import { messageFor } from './ask.ts';
import { answerStep, BUTTONS, type Button, chooseSymptom, severityButton } from './buttons.ts';
import { registerCardMenu } from './card-menu.ts';
import { registerCharacterise } from './characterise.ts';
import { modalOfCommand, openChecked } from './checked-modals.ts';
import { readClick, tell } from './click.ts';
import { readCommand, runCommand } from './command.ts';
import { formOf } from './command-forms.ts';
import { registerDeclareForms } from './declare-forms.ts';
import { makeEvalCase, makeEvalCaseInModal } from './eval-commands.ts';
import { registerExposure } from './exposure-forms.ts';
import { registerHome } from './home-events.ts';
import { takeLeaseBack } from './lease-commands.ts';
import { registerLeases } from './lease-forms.ts';
import { registerPeopleForms } from './people-forms.ts';
import { postmortemForm, registerPostmortem } from './postmortem-forms.ts';
import { registerResolve } from './resolve-form.ts';
import { registerStakeholders } from './stakeholder-commands.ts';
import { registerTimeline } from './timeline-events.ts';
import { proposeLeaf } from './tree.ts';
import { registerVoteForms } from './vote-forms.ts';

/** Longest that a command's answer is waited for before Slack is told that it will follow. */
const ANSWER_INLINE_MS = 1_800;

/** Listeners do four things: acknowledge, parse, call a verb, render its outcome. */
export function registerListeners(app: App, flow: Flow): void {
  registerCommand(app, flow);
  registerDeclareForms(app, flow);
  registerPeopleForms(app, flow);
  registerPostmortem(app, flow);
  registerResolve(app, flow);
  registerButtons(app, flow);
  registerCardMenu(app, flow);
  registerVoteForms(app, flow);
  registerLeases(app, flow);
  registerCharacterise(app, flow);
  registerExposure(app, flow);
  registerStakeholders(app, flow);
  registerRoomEvents(app, flow);
  registerTimeline(app, flow);
  registerHome(app, flow);
}

function registerCommand(app: App, flow: Flow): void {
  app.command('/llm-incident', async ({ ack, respond, command, client }) => {
    const place = { userId: command.user_id, channelId: command.channel_id };
    const form = formOf(flow, { ...readCommand(command.text), ...place });
    if (form !== null) {
      await ack();
      const opening = client.views.open({ trigger_id: command.trigger_id, view: form.view });
      const isOpen = await opening.then(
        () => true,
        () => false,
      );
      const instead = `The form could not be opened. Try again, or say it in one line: ${form.instead}.`;
      if (!isOpen) await tell(flow, { respond, ...place, text: instead });
      return;
    }
    const asking = readCommand(command.text);
    const modal = postmortemForm(flow, asking, place) ?? modalOfCommand(flow, asking, place);
    if (modal !== null) {
      await ack();
      if (await openChecked(flow, client, { triggerId: command.trigger_id, modal })) return;
      return tell(flow, { respond, ...place, text: 'It could not be opened. Try again.' });
    }
    const asked = { text: command.text, ...place, origin: `command ${command.trigger_id}` };
    const work = runCommand(flow, asked);
    const inline = await Promise.race([work, delay(ANSWER_INLINE_MS)]);
    flow.wake();
    if (inline !== null) return ack({ response_type: 'ephemeral', ...messageFor(inline) });
    await ack({ response_type: 'ephemeral', text: 'Working on it…' });
    await tell(flow, { respond, ...place, ...messageFor(await work) });
  });
}

/** What asks something after the click is registered with its form. */
const WITH_FORMS = new Set(['false_alarm', 'resolve']);

function registerButtons(app: App, flow: Flow): void {
  const on = (id: string | RegExp, button: (actionId: string) => Button) =>
    app.action<BlockAction>(
      { type: 'block_actions', action_id: id },
      async ({ ack, action, body, respond }) => {
        await ack();
        const { value, ...place } = readClick(body);
        const text = await button(action.action_id)({ flow, ...place, value });
        if (text !== null) await tell(flow, { respond, ...place, text });
      },
    );
  for (const [id, button] of Object.entries(BUTTONS)) if (!WITH_FORMS.has(id)) on(id, () => button);
  on(/^severity:/, (actionId) => severityButton(actionId.slice('severity:'.length)));
  on('lease_back', () => takeLeaseBack);
  on('eval_case', () => makeEvalCase);
  on('eval_case_private', () => makeEvalCaseInModal);
  on(/^tree_symptom:/, () => chooseSymptom);
  on('tree_plan', () => proposeLeaf);
  on(/^tree_answer:/, (actionId) => answerStep(actionId.slice('tree_answer:'.length)));
}

function registerRoomEvents(app: App, flow: Flow): void {
  app.event('message', async ({ event }) => {
    const channelId = event.channel;
    if (event.subtype === 'message_deleted') return recordDeletion(flow, deletionOf(event));
    const found = readMessage(event.subtype === 'message_changed' ? event.message : event);
    if (found !== null) await recordMessage(flow, { channelId, message: toChannelMessage(found) });
  });
}

function deletionOf(event: MessageDeletedEvent): { channelId: string; ts: string; threadTs: string | null } {
  const before = readMessage(event.previous_message);
  const threadTs = before === null ? null : toChannelMessage(before).threadTs;
  return { channelId: event.channel, ts: event.deleted_ts, threadTs };
}

const delay = (ms: number) => new Promise<null>((resolve) => setTimeout(resolve, ms, null));
