import type { KnownBlock, PlainTextOption } from '@slack/types';
import { truncate } from '../mrkdwn.ts';

/** Plain text as Slack takes it. */
export function plain(text: string): { type: 'plain_text'; text: string } {
  return { type: 'plain_text', text };
}

/** An option of a menu: its value and what is shown for it. */
export function toOption([value, text]: readonly [string, string]): PlainTextOption {
  return { value, text: plain(truncate(text, 75)) };
}

/** A menu under a label, one question a block. */
export function choice(
  blockId: string,
  about: { label: string; options: PlainTextOption[]; optional?: boolean; hint?: string },
): KnownBlock {
  return {
    type: 'input',
    block_id: blockId,
    optional: about.optional ?? false,
    label: plain(about.label),
    ...(about.hint === undefined ? {} : { hint: plain(about.hint) }),
    element: { type: 'static_select', action_id: 'value', options: about.options },
  };
}

export interface OptionGroup {
  label: { type: 'plain_text'; text: string };
  options: PlainTextOption[];
}

/** A menu of more options than one list holds: up to a hundred groups of a hundred. */
export function groupedChoice(
  blockId: string,
  about: { label: string; groups: OptionGroup[]; optional?: boolean },
): KnownBlock {
  return {
    type: 'input',
    block_id: blockId,
    optional: about.optional ?? false,
    label: plain(about.label),
    element: { type: 'static_select', action_id: 'value', option_groups: about.groups },
  };
}

/** A text field of several lines under a label. */
export function textArea(
  blockId: string,
  about: { label: string; optional?: boolean; hint?: string; max: number; initial?: string },
): KnownBlock {
  return {
    type: 'input',
    block_id: blockId,
    optional: about.optional ?? false,
    label: plain(about.label),
    element: {
      type: 'plain_text_input',
      action_id: 'value',
      multiline: true,
      max_length: about.max,
      ...(about.initial ? { initial_value: about.initial } : {}),
      ...(about.hint === undefined ? {} : { placeholder: plain(about.hint) }),
    },
  };
}
