import type { App, BlockAction } from '@slack/bolt';
import type { MessageDeletedEvent } from '@slack/types';
import { z } from 'zod';
import { declare } from '../../flow/declare.ts';
import type { Flow } from '../../flow/flow.ts';
import { recordDeletion, recordMessage } from '../../flow/record-room.ts';
import { readMessage, toChannelMessage } from '../history.ts';
import { readDeclaration, type ViewValues } from '../views/declaration.ts';
import { declareModal } from '../views/declare-modal.ts';
import { answerStep, BUTTONS, type Button, chooseSymptom } from './buttons.ts';
import { readClick, tell } from './click.ts';
import { readCommand, runCommand, wantsForm } from './command.ts';
import { takeLeaseBack } from './lease-commands.ts';
import { registerLeases } from './lease-forms.ts';
import { registerVoteForms } from './vote-forms.ts';

/** What the form carries along: where it was opened. */
const formMetadata = z.looseObject({ channelId: z.string().optional() });

/** Longest that a command's answer is waited for before Slack is told that it will follow. */
const ANSWER_INLINE_MS = 1_800;

/** Listeners do four things: acknowledge, parse, call a verb, render its outcome. */
export function registerListeners(app: App, flow: Flow): void {
  registerCommand(app, flow);
  registerDeclareForm(app, flow);
  registerButtons(app, flow);
  registerVoteForms(app, flow);
  registerLeases(app, flow);
  registerRoomEvents(app, flow);
}

function registerCommand(app: App, flow: Flow): void {
  app.command('/llm-incident', async ({ ack, respond, command, client }) => {
    const place = { userId: command.user_id, channelId: command.channel_id };
    if (wantsForm(readCommand(command.text))) {
      await ack();
      const view = declareModal({
        services: Object.keys(flow.config.services),
        channelId: command.channel_id,
      });
      const opening = client.views.open({ trigger_id: command.trigger_id, view });
      const isOpen = await opening.then(
        () => true,
        () => false,
      );
      const instead =
        'The form could not be opened. Try again, or say it in one line: `declare sev1 quality SERVICE TITLE`.';
      if (!isOpen) await tell(flow, { respond, ...place, text: instead });
      return;
    }
    const asked = { text: command.text, ...place, origin: `command ${command.trigger_id}` };
    const work = runCommand(flow, asked);
    const inline = await Promise.race([work, delay(ANSWER_INLINE_MS)]);
    flow.wake();
    if (inline !== null) return ack({ response_type: 'ephemeral', text: inline });
    await ack({ response_type: 'ephemeral', text: 'Working on it…' });
    await tell(flow, { respond, ...place, text: await work });
  });
}

function registerDeclareForm(app: App, flow: Flow): void {
  app.view('declare', async ({ ack, body, view }) => {
    const read = readDeclaration(view.state.values as ViewValues, flow.clock.now());
    if (read.errors !== undefined) {
      await ack({ response_action: 'errors', errors: read.errors });
      return;
    }
    await ack();
    const { channelId } = formMetadata.parse(JSON.parse(view.private_metadata || '{}'));
    const announceTo = channelId === undefined ? {} : { announceTo: { channelId, userId: body.user.id } };
    await declare(flow, { ...read.values, by: body.user.id, origin: `form ${view.id}`, ...announceTo });
  });
}

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
  for (const [id, button] of Object.entries(BUTTONS)) on(id, () => button);
  on('lease_back', () => takeLeaseBack);
  on(/^tree_symptom:/, () => chooseSymptom);
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
