import type { ModalView } from '@slack/types';
import { z } from 'zod';
import type { TimelineLine } from '../../flow/room/timeline.ts';
import { decodeEntities } from '../../postmortem/mrkdwn.ts';
import { person, slackDate, truncate } from '../mrkdwn.ts';
import { section } from './blocks.ts';
import { outsideLine, outsideText } from './outside-text.ts';

const SHOWN_LINES = 15;

/** The newest lines of a timeline, oldest of them first, each with who said it and a link where there is one. */
export function timelineText(lines: readonly TimelineLine[]): string {
  if (lines.length === 0) return 'Nothing is in the timeline yet.';
  const shown = lines.slice(-SHOWN_LINES).map((line) => {
    const by = line.by === null ? '' : ` ${person(line.by)}:`;
    const link = line.permalink === null ? '' : ` <${safeLink(line.permalink)}|message>`;
    return `• ${slackDate(line.at)}${by} ${outsideLine(line.isMessage ? plainText(line.text) : line.text, 140)}${link}`;
  });
  const earlier = lines.length - shown.length;
  return truncate(
    [...(earlier > 0 ? [`${earlier} earlier ones are in the post-mortem.`] : []), ...shown].join('\n'),
    2900,
  );
}

/** The words of a message: what a token names instead of the token, characters instead of entities. */
function plainText(stored: string): string {
  return decodeEntities(
    stored.replace(/<[@#!]?([^<>|]+)(?:\|([^<>]*))?>/g, (_, target, label) => label ?? target),
  );
}

const safeLink = (link: string) => encodeURI(decodeURI(link)).replace(/[<>|]/g, '');

const metadata = z.object({
  channelId: z.string(),
  ts: z.string(),
  author: z.string().nullable(),
  text: z.string(),
});

/** A message of some other channel, carried along by the form. */
export type CarriedMessage = z.infer<typeof metadata>;

const MOST_METADATA = 3000;

/** Asks for which incident a message of another channel counts. */
export function addToTimelineModal(message: CarriedMessage): ModalView {
  const plain = (text: string) => ({ type: 'plain_text' as const, text });
  return {
    type: 'modal',
    callback_id: 'add_to_timeline',
    private_metadata: carried(message),
    title: plain('Add to timeline'),
    submit: plain('Add'),
    close: plain('Cancel'),
    blocks: [
      section(outsideText(plainText(message.text), 600) || '(no text)'),
      {
        type: 'input',
        block_id: 'incident',
        label: plain('Which incident?'),
        hint: plain('Its number, such as INC-12. Messages of a room go to its own incident.'),
        element: {
          type: 'plain_text_input',
          action_id: 'value',
          max_length: 20,
          placeholder: plain('INC-12'),
        },
      },
    ],
  };
}

/** As much of the text as a form can carry. */
function carried(message: CarriedMessage): string {
  for (let length = 2500; ; length = Math.floor(length / 2)) {
    const text = JSON.stringify({ ...message, text: message.text.slice(0, length).toWellFormed() });
    if (text.length <= MOST_METADATA) return text;
  }
}

/** Null where it is none of ours. */
export function readCarried(text: string): CarriedMessage | null {
  try {
    const read = metadata.safeParse(JSON.parse(text));
    return read.success ? read.data : null;
  } catch {
    return null;
  }
}
