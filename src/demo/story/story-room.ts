import { clickables } from '../slack/slack-blocks.ts';
import type { Fields, SlackChannel, SlackMessage } from '../slack/slack-shapes.ts';
import { text } from '../slack/slack-shapes.ts';
import type { SlackWorkspace } from '../slack/slack-workspace.ts';

/** Incident rooms, the oldest first. */
export async function roomsOf(slack: SlackWorkspace): Promise<SlackChannel[]> {
  return (await slack.channels()).filter((channel) => channel.name?.startsWith('inc-'));
}

/** Everything said in a channel, in threads too, in order of time. */
export async function everythingIn(slack: SlackWorkspace, channel: string): Promise<SlackMessage[]> {
  const messages = await slack.messages(channel);
  const threads = messages.filter((message) => (message.reply_count ?? 0) > 0);
  const replies = await Promise.all(threads.map((message) => slack.replies(channel, message.ts)));
  return [...messages, ...replies.flat()].sort((a, b) => Number(a.ts) - Number(b.ts));
}

/** The key under which the bot posted a message, such as "card:1". */
export function keyOf(message: SlackMessage): string {
  return text(message.metadata?.event_payload?.['key']);
}

/** The newest message of that kind ("card", "proposal", "receipt", "tree" …). */
export async function newest(
  slack: SlackWorkspace,
  channel: string,
  kind: string,
): Promise<SlackMessage | undefined> {
  return (await everythingIn(slack, channel)).findLast((message) => keyOf(message).startsWith(`${kind}:`));
}

/** The first button whose action_id begins so. */
export function buttonOf(message: SlackMessage, actionId: string): Fields | undefined {
  return clickables(message.blocks ?? []).find(({ element }) =>
    text(element['action_id']).startsWith(actionId),
  )?.element;
}
