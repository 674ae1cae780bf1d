import type { SlackChannel, SlackMessage } from '../slack/slack-shapes.ts';
import type { Teller } from '../story/story-print.ts';
import { everythingIn, keyOf, roomsOf } from '../story/story-room.ts';
import { messageLines } from '../story/story-text.ts';
import type { Live } from './live-actions.ts';

/** Prints what is new in the incident rooms and at PagerDuty since the last look. */
export function createFeed({ world, revision }: Live, tell: Teller): { look(): Promise<void> } {
  const rooms = new Set<string>();
  const shown = new Map<string, string>();
  const pages = new Map<string, string>();
  let seen = '';

  const tellMessage = (room: SlackChannel, message: SlackMessage) => {
    if (message.subtype?.endsWith('_topic')) return;
    const id = `${room.id} ${message.ts}`;
    const lines = messageLines(message, world.nameOf);
    const kind = keyOf(message).split(':')[0] ?? '';
    const headline = kind === 'receipt' || kind === 'proposal' ? lines.join('\n') : (lines[0] ?? '');
    const before = shown.get(id);
    shown.set(id, kind === 'receipt' || kind === 'card' ? (lines[0] ?? '') : headline);
    if (before === shown.get(id)) return;
    if (before !== undefined && kind !== 'receipt') return;
    if (kind === 'card' || kind === 'proposal' || kind === 'receipt') tell.box(`#${room.name}`, lines);
    else tell.line('room', `${world.nameOf(message.user ?? '')}: ${lines.slice(0, 3).join(' ')}`);
  };
  const tellPages = () => {
    for (const { id, title, status, urgency } of world.pagerduty.incidents) {
      const state = `${status}, ${urgency} urgency`;
      if (pages.get(id) !== state) tell.line('page', `PagerDuty ${id} is ${state}: ${title}`);
      pages.set(id, state);
    }
  };
  return {
    look: async () => {
      tellPages();
      const now = revision();
      if (now === seen) return;
      seen = now;
      for (const room of await roomsOf(world.slack)) {
        if (!rooms.has(room.id)) tell.line('room', `#${room.name} opened.`);
        rooms.add(room.id);
        for (const message of await everythingIn(world.slack, room.id)) tellMessage(room, message);
      }
    },
  };
}
