import { type Live, newestRoom } from '../live/live-actions.ts';
import { type Ephemeral, list, type SlackChannel, type SlackMessage, text } from '../slack/slack-shapes.ts';
import { everythingIn } from '../story/story-room.ts';
import { blocksHtml } from './page-blocks.ts';
import { formHtml } from './page-form.ts';
import { escapeHtml, mrkdwnHtml } from './page-mrkdwn.ts';

/** Who looks, and at what. */
export interface Looking {
  as: string;
  channel: string;
}

/** The parts of the page that change when something happens in the workspace. */
export interface View {
  channel: string;
  channels: string;
  messages: string;
  modal: string;
}

/** What this person sees: private channels only if they are in them, answers meant for them alone included. */
export async function viewOf(live: Live, looking: Looking): Promise<View> {
  const { slack, nameOf } = live.world;
  const userId = slack.userId(looking.as);
  const all = await slack.channels();
  const visible = all.filter(
    (one) => !one.is_archived && ((!one.is_private && !one.is_im) || one.members.includes(userId)),
  );
  const current =
    visible.find((one) => one.id === looking.channel) ??
    visible.find((one) => one.name === 'general') ??
    visible[0];
  if (current === undefined) return { channel: '', channels: '', messages: '', modal: '' };
  const modal = slack.views(userId).at(-1);
  return {
    channel: current.id,
    channels: channelsHtml(visible, current.id),
    messages: `${headingHtml(live, current)}${await messagesHtml(live, current, userId)}`,
    modal: modal === undefined ? '' : formHtml(modal, nameOf),
  };
}

function channelsHtml(channels: SlackChannel[], current: string): string {
  const isRoom = (channel: SlackChannel) => channel.name.startsWith('inc-');
  const link = (channel: SlackChannel) => {
    const sign = channel.is_im ? '@' : channel.is_private ? '🔒 ' : '#';
    const name = channel.is_im ? 'llm-incident' : channel.name;
    const id = escapeHtml(channel.id);
    const here = channel.id === current ? ' class="here"' : '';
    return `<a href="?channel=${id}" data-channel="${id}"${here}>${sign}${escapeHtml(name)}</a>`;
  };
  const rooms = channels.filter(isRoom).reverse();
  const others = channels.filter((channel) => !isRoom(channel));
  const nothing = '<p class="context">No incident yet. Break something.</p>';
  return `<h4>Incidents</h4>${rooms.map(link).join('') || nothing}<h4>Channels</h4>${others.map(link).join('')}`;
}

function headingHtml({ world }: Live, channel: SlackChannel): string {
  const known = channel.members.map(world.nameOf).filter((name) => Object.hasOwn(FACES, name));
  const people = known.map((name) => `@${escapeHtml(name)}`).join(' ');
  const topic = channel.topic === '' ? '' : `<span>${mrkdwnHtml(channel.topic, world.nameOf)}</span> · `;
  return `<header class="channel"><h2>#${escapeHtml(channel.name)}</h2><p class="context">${topic}${people}</p></header>`;
}

async function messagesHtml(live: Live, channel: SlackChannel, userId: string): Promise<string> {
  const { slack } = live.world;
  const whole = await everythingIn(slack, channel.id);
  const isReply = (message: SlackMessage) =>
    message.thread_ts !== undefined && message.thread_ts !== message.ts;
  const privately = slack
    .ephemerals(userId)
    .filter((one) => one.channel === channel.id && one.problems.length === 0);
  const top = [...whole.filter((message) => !isReply(message)), ...privately].sort(
    (a, b) => Number(a.ts) - Number(b.ts),
  );
  const html = top.map((one) => {
    if ('via' in one) return messageHtml(live, one);
    const replies = whole.filter((message) => isReply(message) && message.thread_ts === one.ts);
    const thread = replies.map((reply) => messageHtml(live, reply)).join('');
    return messageHtml(live, one) + (thread === '' ? '' : `<div class="thread">${thread}</div>`);
  });
  return html.join('') || '<p class="empty">Nothing has been said here yet.</p>';
}

function messageHtml({ world, timeOf }: Live, message: SlackMessage | Ephemeral): string {
  const isPrivate = 'via' in message;
  const author = isPrivate ? 'llm-incident' : world.nameOf(message.user ?? '');
  const blocks = message.blocks ?? [];
  const place = { nameOf: world.nameOf, ref: { channel: message.channel, ts: message.ts } };
  const body =
    blocks.length > 0
      ? blocksHtml(blocks, place)
      : `<div class="section">${mrkdwnHtml(message.text, world.nameOf)}</div>`;
  const time = timeOf(message.ts).toISOString().slice(11, 16);
  const edited = !isPrivate && message.edited ? ' · edited' : '';
  const note = isPrivate
    ? '<span class="context">only you see this</span>'
    : `<span class="context">${time}${edited}</span>`;
  const thread = isPrivate ? '' : escapeHtml(message.thread_ts ?? message.ts);
  const reply = isPrivate
    ? ''
    : `<button type="button" class="quiet" data-act="thread" data-thread="${thread}">Reply</button>`;
  return (
    `<article class="${isPrivate ? 'private' : ''}"><i class="face ${escapeHtml(author)}">${faceOf(author)}</i><div class="said">` +
    `<b>${escapeHtml(author)}</b> ${note}${reply}${body}${isPrivate ? '' : filesHtml(message)}</div></article>`
  );
}

const FACES: Record<string, string> = {
  'llm-incident': '🚒',
  oncall: '📟',
  approver: '✅',
  lead: '🧭',
  legal: '⚖️',
  compliance: '📋',
  comms: '📣',
  product: '🧩',
};

export const faceOf = (name: string) => FACES[name] ?? '👤';

function filesHtml(message: SlackMessage): string {
  const channel = encodeURIComponent(message.channel);
  return list(message.files)
    .map((file) => {
      const href = `/file?channel=${channel}&id=${encodeURIComponent(text(file['id']))}`;
      return `<a class="file" href="${href}" target="_blank">📄 ${escapeHtml(text(file['name']) || text(file['title']))}</a>`;
    })
    .join('');
}

/** The newest incident room, unless it is the one that is looked at. */
export async function elsewhereHtml(live: Live, channel: string): Promise<string> {
  const room = await newestRoom(live).catch(() => undefined);
  if (room === undefined || room.id === channel || room.is_private) return '';
  const id = escapeHtml(room.id);
  return `<a class="alarm" href="?channel=${id}" data-channel="${id}">🚨 #${escapeHtml(room.name)} is open. Go there.</a>`;
}
