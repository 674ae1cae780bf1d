import type { KnownBlock, ModalView } from '@slack/types';
import type { LeaseView } from '../../flow/ports.ts';
import { mention, person, slackDate, truncate } from '../mrkdwn.ts';
import { type ButtonSpec, buttons, type Rendered, rendered, section, smallPrint } from './blocks.ts';
import { outsideLine } from './outside-text.ts';

/** What is asked when a lease ends; answered, it says by whom and for how long. */
export function renderLease(lease: LeaseView): Rendered {
  const summary = outsideLine(lease.summary, 300);
  const about = `Mitigation ${lease.mitigationId} is still on: ${summary}`;
  if (lease.state !== 'asks') {
    const said = answerOf(lease);
    return rendered(`Mitigation ${lease.mitigationId}: ${summary} – ${said}`, [
      section(`Mitigation ${lease.mitigationId}: ${summary}`, `*${said}*`),
    ]);
  }
  const people = truncate(lease.owners.map(mention).join(' '), 1000);
  const question = 'Its lease has ended. Keep it, or take it back? It stays on until somebody decides.';
  const proposed =
    lease.undoProposal === null
      ? null
      : `Proposal ${lease.undoProposal} takes it back once it is approved and has run.`;
  return rendered([people, about, question].filter((part) => part !== '').join(' – '), [
    section(people, `*${about}*`, question, proposed),
    ...buttons(answers(lease)),
    smallPrint(
      `On since ${slackDate(lease.since)}${lease.ended === null ? '' : ` · lease ended ${slackDate(lease.ended)}`}`,
    ),
  ]);
}

function answers({ mitigationId }: LeaseView): ButtonSpec[] {
  const value = String(mitigationId);
  return [
    { label: 'Keep it', actionId: 'lease_keep', value },
    { label: 'Take it back', actionId: 'lease_back', value, style: 'primary' },
  ];
}

function answerOf({ state, kept, until, outcome }: LeaseView): string {
  if (state === 'over') return outcome === null ? 'Not on any more.' : outsideLine(outcome, 400);
  const end = until === null ? 'Kept on purpose for good' : `Kept until ${slackDate(until)}`;
  if (kept === null) return `${end}.`;
  return `${end} by ${person(kept.by)}: ${outsideLine(kept.reason, 400)}`;
}

const LENGTHS = [
  ['4', '4 hours'],
  ['24', '24 hours'],
  ['72', '3 days'],
  ['168', '7 days'],
  ['720', '30 days'],
  ['for-good', 'For good'],
] as const;
const SUGGESTED = '24';

/** The form behind *Keep it*: why, and for how long. */
export function keepLeaseModal(about: { mitigationId: number; channelId: string }): ModalView {
  return {
    type: 'modal',
    callback_id: 'lease_keep',
    private_metadata: JSON.stringify(about),
    title: plain('Keep it on purpose'),
    submit: plain('Keep it'),
    close: plain('Cancel'),
    blocks: [reasonInput(), lengthInput()],
  };
}

/** What came of the form, in escaped text, in its place. */
export function saidModal(text: string): ModalView {
  return {
    type: 'modal',
    title: plain('Nothing was changed'),
    close: plain('Close'),
    blocks: [section(text)],
  };
}

function reasonInput(): KnownBlock {
  return {
    type: 'input',
    block_id: 'reason',
    label: plain('Why does it stay on?'),
    element: {
      type: 'plain_text_input',
      action_id: 'value',
      min_length: 3,
      max_length: 500,
      multiline: true,
    },
  };
}

function lengthInput(): KnownBlock {
  const options = LENGTHS.map(([value, text]) => ({ value, text: plain(text) }));
  const initial = options.find(({ value }) => value === SUGGESTED);
  return {
    type: 'input',
    block_id: 'length',
    label: plain('For how long?'),
    hint: plain('Then its owner is asked again. It is never taken back by itself.'),
    element: {
      type: 'static_select',
      action_id: 'value',
      options,
      ...(initial === undefined ? {} : { initial_option: initial }),
    },
  };
}

function plain(text: string): { type: 'plain_text'; text: string } {
  return { type: 'plain_text', text };
}
