import type { SlackChannel, SlackMessage } from '../../src/demo/slack/slack-shapes.ts';
import type { World } from './bot.ts';

/** The newest incident room, if there is one. */
export async function roomOf(world: World): Promise<SlackChannel | undefined> {
  return (await roomsOf(world)).at(-1);
}

export async function roomsOf(world: World): Promise<SlackChannel[]> {
  return (await world.slack.channels()).filter((channel) => channel.name?.startsWith('inc-'));
}

/** The message that the bot posted in the channel under this key. */
export async function findByKey(
  world: World,
  channel: string,
  key: string,
): Promise<SlackMessage | undefined> {
  return (await world.slack.messages(channel)).find((message) => keyOf(message) === key);
}

/** The key that a message of the bot's was posted under. */
export function keyOf(message: SlackMessage): string | undefined {
  const metadata = message.metadata as { event_payload?: { key?: string } } | undefined;
  return metadata?.event_payload?.key;
}

/** All texts of a message's blocks, buttons included, without mrkdwn stars. */
export function blocksText(message: { blocks?: unknown }): string {
  const texts: string[] = [];
  const visit = (value: unknown) => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) {
        if (key === 'text' && typeof inner === 'string') texts.push(inner);
        else visit(inner);
      }
    }
  };
  visit(message.blocks);
  return texts.join('\n').replaceAll('*', '');
}
