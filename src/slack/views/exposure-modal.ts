import type { KnownBlock, ModalView } from '@slack/types';
import type { Exposure, ExposureRights } from '../../flow/stakeholders/exposure.ts';
import type { ShownSample } from '../../flow/stakeholders/private-samples.ts';
import type { ExposureNotice } from '../../incident/exposure-notice-store.ts';
import { redact } from '../../redaction.ts';
import type { ExposedUser } from '../../sources/exposure-store.ts';
import { escapeText, person, quoteBlock, slackDate, truncate } from '../mrkdwn.ts';
import { type ButtonSpec, buttons, section, smallPrint } from './blocks.ts';
import { factLine } from './outside-text.ts';

const plain = (text: string) => ({ type: 'plain_text' as const, text });

/** A view without a form: a title of at most 24 characters and escaped lines. */
export function saidView(title: string, ...lines: string[]): ModalView {
  return {
    type: 'modal',
    title: plain(title),
    close: plain('Close'),
    blocks: lines.map((line) => section(line)),
  };
}

export interface ExposureView {
  incidentId: number;
  exposure: Exposure;
  users: readonly ExposedUser[];
  /** Counted from 0. */
  page: number;
  pages: number;
  rights: ExposureRights;
  notice: ExposureNotice | null;
  canNotify: boolean;
}

/** Who received bad outputs, a page at a time; exporting and telling them for those who may. */
export function exposureModal(view: ExposureView): ModalView {
  const { incidentId, exposure, users, rights, notice } = view;
  const lines = users.map(
    ({ userId, calls, lastAt }) => `• ${factLine(userId, 60)}: ${calls}, last ${slackDate(lastAt)}`,
  );
  return {
    type: 'modal',
    callback_id: 'exposure',
    private_metadata: JSON.stringify({ incidentId }),
    title: plain('Who was exposed'),
    close: plain('Close'),
    blocks: [
      section(...summaryOf(exposure)),
      ...(lines.length === 0 ? [] : [section(...lines)]),
      ...buttons(pageButtons(view)),
      ...(rights.act ? noticeBlocks(view) : []),
      smallPrint(
        `INC-${incidentId} · looking at this is on record${notice === null ? '' : ` · notice ${notice.id}`}`,
      ),
    ],
  };
}

function summaryOf({ users, calls, anonymous, service, from, to, by }: Exposure): string[] {
  const who = `*${users} ${users === 1 ? 'user' : 'users'}* received ${calls} bad ${calls === 1 ? 'output' : 'outputs'}`;
  const nameless = anonymous === 0 ? [] : [`${anonymous} of these calls name no user.`];
  return [
    `${who} of ${factLine(service, 80)} (${factLine(by, 100)}), ${slackDate(from)} to ${slackDate(to)}.`,
    ...nameless,
  ];
}

function pageButtons({ page, pages, rights, users }: ExposureView): ButtonSpec[] {
  return [
    ...(page > 0 ? [{ label: 'Previous', actionId: 'exposure_previous', value: String(page - 1) }] : []),
    ...(page + 1 < pages
      ? [{ label: `Next (${page + 2} of ${pages})`, actionId: 'exposure_next', value: String(page + 1) }]
      : []),
    ...(rights.act && users.length > 0 ? [{ label: 'Export', actionId: 'exposure_export', value: '0' }] : []),
  ];
}

function noticeBlocks({ notice, canNotify, exposure, users }: ExposureView): KnownBlock[] {
  if (!canNotify) return [section('No notice can be sent: `exposure.webhook` is not configured.')];
  const isOpen = notice?.status === 'drafted' || notice?.status === 'approved';
  const draft = { label: 'Draft a notice', actionId: 'exposure_draft', value: '0' };
  return [
    ...(notice === null ? [] : shownNotice(notice, exposure)),
    ...(isOpen || users.length === 0 ? [] : buttons([draft])),
  ];
}

function shownNotice(notice: ExposureNotice, exposure: Exposure): KnownBlock[] {
  const { id, text, users, drafted_by: author, drafted_at: at, status, outcome, digest } = notice;
  const more = exposure.users - users.length;
  const since = status === 'drafted' && more > 0 ? ` ${more} more users since then are not among them.` : '';
  const value = `${id}:${digest}`;
  const answers: ButtonSpec[] = [
    {
      label: 'Approve and send',
      actionId: 'exposure_approve',
      value,
      style: 'primary',
      confirm: {
        title: 'Send the notice?',
        text: `Sends this text to ${users.length} users. It cannot be taken back.`,
        confirm: 'Send it',
      },
    },
    { label: 'Withdraw', actionId: 'exposure_withdraw', value },
  ];
  return [
    section(
      `*Notice ${id}* to ${users.length} users, ${status}: by ${person(author)} ${slackDate(at)}.${since}`,
      quoteBlock(text, 2_000),
      outcome === null ? null : factLine(outcome, 300),
    ),
    ...(status === 'drafted' ? buttons(answers) : []),
  ];
}

const LONGEST_NOTICE = 2_000;

/** The text of a notice, prefilled by the template. */
export function noticeModal(about: { incidentId: number; text: string; users: number }): ModalView {
  return {
    type: 'modal',
    callback_id: 'exposure_draft',
    private_metadata: JSON.stringify({ incidentId: about.incidentId }),
    title: plain('Draft a notice'),
    submit: plain('Keep the draft'),
    close: plain('Cancel'),
    blocks: [
      section(`Goes to ${about.users} users once somebody else who may has approved it.`),
      {
        type: 'input',
        block_id: 'text',
        label: plain('What they read'),
        element: {
          type: 'plain_text_input',
          action_id: 'value',
          multiline: true,
          max_length: LONGEST_NOTICE,
          initial_value: truncate(about.text.toWellFormed(), LONGEST_NOTICE),
        },
      },
    ],
  };
}

/** Examples of a private incident; redacted unless this person sees them raw. */
export function samplesModal(
  samples: readonly ShownSample[],
  { isRaw, incidentId }: { isRaw: boolean; incidentId: number },
): ModalView {
  const hide = isRaw ? (text: string) => text : redact;
  const rule = isRaw ? 'As they are' : 'Personal data is hidden';
  if (samples.length === 0) return saidView('Samples', 'No failing call is kept.');
  const blocks = samples.flatMap(({ callId, found, input, output }, index) => [
    section(
      `*Example ${index + 1}*${found === null ? '' : ` · ${escapeText(found)}`}`,
      `Asked:\n${quoteBlock(hide(input), 900)}`,
      `Answered:\n${quoteBlock(hide(output), 1_600)}`,
    ),
    ...buttons([
      { label: 'Make eval case', actionId: 'eval_case_private', value: `${incidentId}:${callId}` },
    ]),
  ]);
  const print = smallPrint(`${rule}. Looking at this is on record; do not copy it into a channel.`);
  return { ...saidView('Samples'), blocks: [...blocks, print] };
}
