import { findClickable, withBlockIds } from './slack-blocks.ts';
import { freshTs } from './slack-events.ts';
import { type Entry, elementState, stateValues } from './slack-form.ts';
import type { BotAnswer } from './slack-line.ts';
import { showAnswer } from './slack-responses.ts';
import { channelId, findRoom, type SlackCore } from './slack-rooms.ts';
import {
  type Ephemeral,
  type Fields,
  isRecord,
  type MessageRef,
  SLACK_IDS,
  type SlackMessage,
  type SlackView,
  text,
} from './slack-shapes.ts';
import type { Member } from './slack-upstream.ts';

/** What a person can click on. */
export type Clicked = SlackMessage | Ephemeral | SlackView;

/** Types a slash command and shows what comes back in the ack. */
export async function command(
  core: SlackCore,
  member: Member,
  typed: { text: string; channel?: string; command?: string },
): Promise<BotAnswer> {
  const channel = await channelId(core, typed.channel ?? 'general');
  const room = await findRoom(core, channel);
  const context = { userId: member.id, channel };
  const hiddenNames = {
    channel: room?.name ?? 'unknown',
    group: 'privategroup',
    im: 'directmessage',
    mpim: 'mpdm',
  };
  const form = {
    token: 'verification-token-is-deprecated',
    team_id: SLACK_IDS.team,
    team_domain: SLACK_IDS.domain,
    channel_id: channel,
    channel_name: hiddenNames[room?.type ?? 'channel'],
    user_id: member.id,
    user_name: member.name,
    command: typed.command ?? '/llm-incident',
    text: typed.text,
    api_app_id: SLACK_IDS.app,
    is_enterprise_install: 'false',
    response_url: core.responseUrls.mint(context),
    trigger_id: await core.screens.mintTrigger(member.id),
  };
  const answer = await core.line.signedPost({ body: new URLSearchParams(form).toString() });
  if (answer.status === 200 && answer.text !== '') {
    await showAnswer(core, { context, via: 'ack' }, answer.json ?? { text: answer.text });
  }
  return answer;
}

/** Clicks an element, or chooses from it, wherever it is shown. */
export async function click(
  core: SlackCore,
  member: Member,
  made: { surface: Clicked; actionId: string; valueOverride?: string; choice?: string },
): Promise<BotAnswer> {
  const { surface } = made;
  const blocks = withBlockIds(surface.blocks ?? []);
  const found = findClickable(blocks, made.actionId);
  if (!found) throw new Error(`nothing with action_id "${made.actionId}" is shown there`);
  const { element, blockId } = found;
  const chosen =
    element['type'] === 'button'
      ? {
          type: 'button',
          value: made.valueOverride ?? element['value'],
          text: element['text'],
          style: element['style'],
        }
      : elementState(element, made.choice);
  const action = { action_id: made.actionId, block_id: blockId, ...chosen, action_ts: freshTs() };
  return interact(core, member, {
    type: 'block_actions',
    state: { values: {} },
    actions: [action],
    ...(await placeOf(core, member, surface)),
  });
}

// Slack describes a click by where it happened: a message for all, a message for one, or a modal.
async function placeOf(core: SlackCore, member: Member, surface: Clicked): Promise<Fields> {
  if ('private_metadata' in surface && 'hash' in surface) {
    return { container: { type: 'view', view_id: surface['id'] }, view: surface };
  }
  const { channel, ts } = surface as MessageRef;
  const room = await findRoom(core, channel);
  const ephemeral = 'via' in surface;
  const message: MessageRef = { channel, ts };
  const responseUrl = core.responseUrls.mint({
    userId: member.id,
    channel,
    ...(ephemeral ? {} : { message }),
  });
  return {
    container: { type: 'message', message_ts: ts, channel_id: channel, is_ephemeral: ephemeral },
    channel: { id: channel, name: room?.name ?? '' },
    response_url: responseUrl,
    ...(ephemeral
      ? {}
      : { message: { ...surface, blocks: withBlockIds((surface.blocks as Fields[]) ?? []) } }),
  };
}

/** Submits a modal and follows the response_action of the answer. */
export async function submit(
  core: SlackCore,
  member: Member,
  filled: { view: SlackView; entries: Record<string, Entry> },
): Promise<BotAnswer> {
  const { view } = filled;
  const state = { values: stateValues(view.blocks, filled.entries) };
  const payload = { type: 'view_submission', view: { ...view, state }, response_urls: [] };
  const answer = await interact(core, member, payload);
  if (answer.status === 200) await afterSubmit(core, member, { view, answer: answer.json ?? {} });
  return answer;
}

async function afterSubmit(
  core: SlackCore,
  member: Member,
  done: { view: SlackView; answer: Fields },
): Promise<void> {
  const { view, answer } = done;
  const action = answer['response_action'];
  if (action === undefined) core.screens.close(view.id);
  if (action === 'clear') core.screens.closeAll(member.id);
  if (!isRecord(answer['view']) || (action !== 'update' && action !== 'push')) return;
  const target =
    action === 'push'
      ? { trigger_id: await core.screens.mintTrigger(member.id, view.id) }
      : { view_id: view.id };
  const args = { ...target, view: answer['view'] };
  const shown = await core.upstream.call('observer', `views.${action}`, args);
  if (isRecord(shown['view'])) core.screens.shown(`views.${action}`, args, shown['view']);
}

/** Closes a modal; the app hears of it only if it asked to. */
export async function dismiss(
  core: SlackCore,
  member: Member,
  view: SlackView,
): Promise<BotAnswer | undefined> {
  core.screens.close(view.id);
  if (view['notify_on_close'] !== true) return undefined;
  return interact(core, member, { type: 'view_closed', view, is_cleared: false });
}

/** Uses a global shortcut, or one on a message. */
export async function shortcut(
  core: SlackCore,
  member: Member,
  used: { callbackId: string; message: SlackMessage | undefined },
): Promise<BotAnswer> {
  const { message, callbackId } = used;
  const base = { callback_id: callbackId, action_ts: freshTs() };
  if (!message) return interact(core, member, { type: 'shortcut', ...base });
  const room = await findRoom(core, message.channel);
  return interact(core, member, {
    type: 'message_action',
    ...base,
    message_ts: message.ts,
    message,
    channel: { id: message.channel, name: room?.name },
    response_url: core.responseUrls.mint({ userId: member.id, channel: message.channel }),
  });
}

async function interact(core: SlackCore, member: Member, rest: Fields): Promise<BotAnswer> {
  const viewId = isRecord(rest['view']) ? text(rest['view']['id']) : undefined;
  const payload = {
    user: { id: member.id, username: member.name, name: member.name, team_id: SLACK_IDS.team },
    api_app_id: SLACK_IDS.app,
    token: 'verification-token-is-deprecated',
    enterprise: null,
    team: { id: SLACK_IDS.team, domain: SLACK_IDS.domain },
    is_enterprise_install: false,
    trigger_id: await core.screens.mintTrigger(member.id, viewId),
    ...rest,
  };
  return core.line.signedPost({ body: new URLSearchParams({ payload: JSON.stringify(payload) }).toString() });
}
