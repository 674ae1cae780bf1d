import type { App, MessageShortcut } from '@slack/bolt';
import { messageOf } from '../../errors.ts';
import type { Flow } from '../../flow/flow.ts';
import { markByEmoji, markByShortcut } from '../../flow/room/mark-timeline.ts';
import { recordComing } from '../../flow/room/record-room.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { findIncident } from '../../incident/incident-store.ts';
import type { ViewValues } from '../views/declaration.ts';
import { addToTimelineModal, type CarriedMessage, readCarried } from '../views/timeline.ts';
import { incidentOfChannel } from './ask.ts';
import { tell } from './click.ts';

/** What puts a message into the timeline: the emoji, the shortcut and the form behind it; and who comes and goes. */
export function registerTimeline(app: App, flow: Flow): void {
  app.event('reaction_added', ({ event }) => changeMark(flow, event, true));
  app.event('reaction_removed', ({ event }) => changeMark(flow, event, false));
  app.event('member_joined_channel', ({ event }) => cameOrWent(flow, event, 'joined'));
  app.event('member_left_channel', ({ event }) => cameOrWent(flow, event, 'left'));
  registerShortcut(app, flow);
  registerForm(app, flow);
}

interface Reaction {
  user: string;
  reaction: string;
  item_user?: string;
  event_ts: string;
  item: { type: string; channel?: string; ts?: string };
}

async function changeMark(flow: Flow, event: Reaction, isOn: boolean): Promise<void> {
  const { channel, ts } = event.item;
  if (channel === undefined || ts === undefined || event.user === flow.chat.botUserId) return;
  await markByEmoji(flow, {
    channelId: channel,
    ts,
    by: event.user,
    author: event.item_user ?? null,
    changedTs: event.event_ts,
    emoji: event.reaction,
    isOn,
  });
}

async function cameOrWent(
  flow: Flow,
  event: { user: string; channel: string; event_ts: string },
  kind: 'joined' | 'left',
): Promise<void> {
  if (event.user === flow.chat.botUserId) return;
  await recordComing(flow, { channelId: event.channel, userId: event.user, kind, ts: event.event_ts });
}

function registerShortcut(app: App, flow: Flow): void {
  app.shortcut({ callback_id: 'add_to_timeline', type: 'message_action' }, async (asked) => {
    const { ack, shortcut, client, respond } = asked;
    await ack();
    const message = messageIn(shortcut);
    const place = { channelId: message.channelId, userId: shortcut.user.id };
    const incident = await incidentOfChannel(flow, message.channelId);
    if (incident !== null) {
      const text = await add(flow, {
        incident,
        message,
        by: shortcut.user.id,
        changedTs: shortcut.action_ts,
      });
      await tell(flow, { respond, ...place, text });
      return;
    }
    try {
      await client.views.open({ trigger_id: shortcut.trigger_id, view: addToTimelineModal(message) });
    } catch (thrown) {
      flow.log.info({ error: messageOf(thrown) }, 'a form could not be opened');
      await tell(flow, { respond, ...place, text: 'The form could not be opened. Try again.' });
    }
  });
}

function messageIn(shortcut: MessageShortcut): CarriedMessage {
  const { message, channel } = shortcut;
  const author = message.user ?? (typeof message['bot_id'] === 'string' ? message['bot_id'] : null);
  return { channelId: channel.id, ts: message.ts, author, text: message.text ?? '' };
}

async function add(
  flow: Flow,
  mark: { incident: Incident; message: CarriedMessage; by: string; changedTs: string },
): Promise<string> {
  const { message, ...rest } = mark;
  const outcome = await markByShortcut(flow, { ...rest, ...message });
  const name = nameOf(mark.incident.id);
  return outcome.kind === 'added'
    ? `Added to the timeline of ${name}.`
    : `It is in the timeline of ${name} already.`;
}

/** Policy: from outside its room nobody learns whether a private incident exists, nor adds to it. */
function registerForm(app: App, flow: Flow): void {
  app.view('add_to_timeline', async ({ ack, body, view }) => {
    const message = readCarried(view.private_metadata);
    const values = view.state.values as ViewValues;
    const id = Number(/^(?:inc-)?(\d{1,9})$/i.exec(values['incident']?.['value']?.value?.trim() ?? '')?.[1]);
    const incident = Number.isSafeInteger(id) ? await findIncident(flow.db, id) : undefined;
    if (message === null || incident === undefined || incident.private) {
      const problem = 'No incident of that number that you can see here.';
      return ack({ response_action: 'errors', errors: { incident: problem } });
    }
    await ack();
    const text = await add(flow, { incident, message, by: body.user.id, changedTs: message.ts });
    await tell(flow, { channelId: message.channelId, userId: body.user.id, text });
  });
}
