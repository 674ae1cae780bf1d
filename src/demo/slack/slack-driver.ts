import { archive, emitJoins, leave } from './slack-conversations.ts';
import { freshTs } from './slack-events.ts';
import { type SharedByPerson, shareFile } from './slack-files.ts';
import type { Entry } from './slack-form.ts';
import { type Clicked, click, command, dismiss, shortcut, submit } from './slack-interactions.ts';
import type { BotAnswer } from './slack-line.ts';
import { changeReaction, deleteMessage, postMessage, updateMessage } from './slack-messages.ts';
import { channelId, findRoom, type SlackCore } from './slack-rooms.ts';
import {
  type Fields,
  type MessageRef,
  SLACK_IDS,
  type SlackMessage,
  type SlackView,
} from './slack-shapes.ts';
import type { Member } from './slack-upstream.ts';

/** One person at their keyboard. */
export interface SlackPerson {
  readonly userId: string;
  readonly name: string;
  /** `/llm-incident TEXT`, by default typed in #general. */
  command(text: string, options?: { channel?: string; command?: string }): Promise<BotAnswer>;
  /** A click on what `surface` shows, even if the message has changed since; menus need a `choice`. */
  click(
    surface: Clicked,
    actionId: string,
    options?: { valueOverride?: string; choice?: string },
  ): Promise<BotAnswer>;
  /** Submits an open modal; keys are block_ids. */
  submit(view: SlackView, entries: Record<string, Entry>): Promise<BotAnswer>;
  /** Cancels an open modal. */
  dismiss(view: SlackView): Promise<BotAnswer | undefined>;
  /** A global shortcut, or a message shortcut when a message is given. */
  shortcut(callbackId: string, message?: SlackMessage): Promise<BotAnswer>;
  say(channel: string, text: string, options?: { thread_ts?: string }): Promise<MessageRef>;
  /** Shares a file in a channel, with a text beside it. */
  share(channel: string, file: SharedByPerson): Promise<MessageRef>;
  edit(message: MessageRef, text: string): Promise<void>;
  remove(message: MessageRef): Promise<void>;
  react(message: MessageRef, name: string): Promise<void>;
  unreact(message: MessageRef, name: string): Promise<void>;
  /** Brings the bot into a channel that is there already, joining a public one first. */
  inviteBot(channel: string): Promise<void>;
  leave(channel: string): Promise<void>;
  archive(channel: string): Promise<void>;
  openHome(): void;
}

/** Puts a person behind the keyboard. */
export function createPerson(core: SlackCore, member: Member): SlackPerson {
  const actor = member.id;
  const done = async (answer: Promise<Fields>): Promise<Fields> => {
    const result = await core.activity.track(answer);
    if (result['ok'] !== true) throw new Error(`Slack refused ${member.name}: ${String(result['error'])}`);
    return result;
  };
  return {
    userId: member.id,
    name: member.name,
    ...interactions(core, member),
    say: async (channel, text, options = {}) => {
      const id = await enter(core, member, channel);
      const answer = await done(postMessage(core, { actor, args: { channel: id, text, ...options } }));
      return { channel: String(answer['channel']), ts: String(answer['ts']) };
    },
    share: (channel, file) => share(core, member, { channel, file }),
    edit: async ({ channel, ts }, text) => {
      await done(updateMessage(core, { actor, args: { channel, ts, text } }));
    },
    remove: async ({ channel, ts }) => {
      await done(deleteMessage(core, { actor, args: { channel, ts } }));
    },
    react: async ({ channel, ts }, name) => {
      await done(changeReaction(core, 'add', { actor, args: { channel, timestamp: ts, name } }));
    },
    unreact: async ({ channel, ts }, name) => {
      await done(changeReaction(core, 'remove', { actor, args: { channel, timestamp: ts, name } }));
    },
    inviteBot: async (channel) => {
      await done(bringBot(core, member, channel));
    },
    leave: async (channel) => {
      await done(leave(core, actor, channel));
    },
    archive: async (channel) => {
      const id = await enter(core, member, channel);
      await done(archive(core, actor, id));
    },
    openHome: () =>
      core.events.emit({
        type: 'app_home_opened',
        user: actor,
        channel: `D${actor.slice(1)}`,
        tab: 'home',
        event_ts: freshTs(),
        ...(core.screens.home(actor) ? { view: core.screens.home(actor) } : {}),
      }),
  };
}

function interactions(
  core: SlackCore,
  member: Member,
): Pick<SlackPerson, 'command' | 'click' | 'submit' | 'dismiss' | 'shortcut'> {
  return {
    command: (text, options = {}) => core.activity.track(command(core, member, { text, ...options })),
    click: (surface, actionId, options = {}) =>
      core.activity.track(click(core, member, { surface, actionId, ...options })),
    submit: (view, entries) => core.activity.track(submit(core, member, { view, entries })),
    dismiss: (view) => core.activity.track(dismiss(core, member, view)),
    shortcut: (callbackId, message) => core.activity.track(shortcut(core, member, { callbackId, message })),
  };
}

async function bringBot(core: SlackCore, member: Member, channel: string): Promise<Fields> {
  const args = { channel: await enter(core, member, channel), users: SLACK_IDS.botUser };
  return core.upstream.call(member.id, 'conversations.invite', args);
}

async function share(
  core: SlackCore,
  member: Member,
  { channel, file }: { channel: string; file: SharedByPerson },
): Promise<MessageRef> {
  return shareFile(core, { actor: member.id, channel: await enter(core, member, channel), file });
}

// A person joins a public channel before writing there; a private one they must have been invited to.
async function enter(core: SlackCore, member: Member, channel: string): Promise<string> {
  const id = await channelId(core, channel);
  const room = await findRoom(core, id);
  if (room?.type !== 'channel' || room.isArchived) return id;
  const members = await core.upstream.call('observer', 'conversations.members', { channel: id });
  if (Array.isArray(members['members']) && members['members'].includes(member.id)) return id;
  await core.upstream.call(member.id, 'conversations.join', { channel: id });
  await emitJoins(core, id, [member.id]);
  return id;
}
