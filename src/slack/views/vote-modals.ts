import type { KnownBlock, ModalView } from '@slack/types';
import { z } from 'zod';
import { WHO_IS_CALLED } from '../../flow/mitigate/describe-vote.ts';
import type { Called } from '../../mitigation/approval.ts';
import { section } from './blocks.ts';
import type { ViewValues } from './declaration.ts';
import { outsideLine } from './outside-text.ts';

const metadata = z.object({
  mitigationId: z.number().int(),
  planHash: z.string(),
  channelId: z.string(),
});

/** Which proposal a form is about, and in which room its button was. */
export type FormSubject = z.infer<typeof metadata>;

const LONGEST_REASON = 500;

/** Asks why, after the rejection has counted: closing it loses nothing. */
export function rejectModal(about: FormSubject, summary: string): ModalView {
  return form(about, {
    callbackId: 'reject',
    title: 'Why is it rejected?',
    submit: 'Keep the reason',
    said: `Proposal ${about.mitigationId} is rejected: ${outsideLine(summary, 300)}. The reason goes to the room and the post-mortem.`,
    label: 'Reason',
  });
}

/** Asks why one person runs it alone; nothing happens before it is sent. */
export function breakGlassModal(about: FormSubject, summary: string, called: Called): ModalView {
  return form(about, {
    callbackId: 'break_glass',
    title: 'Run it alone?',
    submit: 'Run it now',
    said:
      `Runs proposal ${about.mitigationId} without a second person: ${outsideLine(summary, 300)}. ` +
      `${WHO_IS_CALLED[called]}, and the post-mortem asks for a review.`,
    label: 'Why can it not wait?',
  });
}

/** What a form was about and the reason in it; null where it is not one of ours. */
export function readVoteForm(view: {
  private_metadata: string;
  state: { values: unknown };
}): (FormSubject & { reason: string }) | null {
  const about = metadata.safeParse(jsonOf(view.private_metadata));
  const values = view.state.values as ViewValues;
  const reason = (values['reason']?.['value']?.value ?? '').trim();
  return about.success ? { ...about.data, reason } : null;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function form(
  about: FormSubject,
  words: { callbackId: string; title: string; submit: string; said: string; label: string },
): ModalView {
  const reason: KnownBlock = {
    type: 'input',
    block_id: 'reason',
    label: plain(words.label),
    element: { type: 'plain_text_input', action_id: 'value', multiline: true, max_length: LONGEST_REASON },
  };
  return {
    type: 'modal',
    callback_id: words.callbackId,
    private_metadata: JSON.stringify(about),
    title: plain(words.title),
    submit: plain(words.submit),
    close: plain('Not now'),
    blocks: [section(words.said), reason],
  };
}

const plain = (text: string) => ({ type: 'plain_text' as const, text });
