import type { KnownBlock, ModalView } from '@slack/types';
import { z } from 'zod';
import { digestOf } from '../../evidence/digest.ts';
import type { FieldNow } from '../../flow/learn/edit-postmortem.ts';
import { FIELDS, type Field } from '../../flow/learn/written-fields.ts';
import { questions } from '../../postmortem/record.ts';
import { redact } from '../../redaction.ts';
import { smallPrint } from './blocks.ts';
import type { ViewValues } from './declaration.ts';
import { choice, plain, textArea, toOption } from './form-parts.ts';

const LONGEST = 3000;
const LABELS: Readonly<Record<Field, string>> = {
  summary: 'Summary',
  impact: 'Impact',
  ...questions,
  good: 'What went well? One a line',
  bad: 'What went badly? One a line',
  luck: 'Where were we lucky? One a line',
};

const about = z.object({ incidentId: z.number().int(), before: z.record(z.string(), z.string()) });

/** All that people write of a post-mortem, with what is there already, redacted. */
export function postmortemModal(form: { incidentId: number; fields: readonly FieldNow[] }): ModalView {
  const { incidentId } = form;
  const fields = form.fields.map((one) => ({ ...one, text: shownText(one.text) }));
  const before = Object.fromEntries(fields.map(({ field, text }) => [field, printOf(text)]));
  const said = 'What you change stands over what the evidence proposes; what you leave stays as it is.';
  return {
    type: 'modal',
    callback_id: 'postmortem_edit',
    private_metadata: JSON.stringify({ incidentId, before }),
    title: plain('Post-mortem'),
    submit: plain('Keep'),
    close: plain('Cancel'),
    blocks: [smallPrint(`INC-${incidentId}. ${said}`), ...fields.map(fieldInput)],
  };
}

const shownText = (text: string) => redact(text).trim().slice(0, LONGEST).toWellFormed();

function fieldInput({ field, text, by }: FieldNow): KnownBlock {
  const label = `${LABELS[field]}${by === 'evidence' ? ' (from the evidence)' : ''}`;
  return textArea(field, { label, max: LONGEST, optional: true, initial: text });
}

/** Tells whether somebody changed a text, without carrying the text along. */
const printOf = (text: string): string => digestOf(text.trim()).slice(0, 16);

/** What was changed in the form, by field; null where the form is none of ours. */
export function readPostmortemForm(view: {
  private_metadata: string;
  state: { values: unknown };
}): { incidentId: number; texts: Map<Field, string> } | null {
  const parsed = about.safeParse(JSON.parse(view.private_metadata || '{}'));
  if (!parsed.success) return null;
  const { incidentId, before } = parsed.data;
  const values = view.state.values as ViewValues;
  const now = FIELDS.map((field): [Field, string] => [
    field,
    (values[field]?.['value']?.value ?? '').trim().slice(0, LONGEST),
  ]);
  return { incidentId, texts: new Map(now.filter(([field, text]) => printOf(text) !== before[field])) };
}

const HOURS = [4, 8, 24, 48, 72];

/** For how long, and why; null where they cannot rest any longer. */
export function snoozeModal(rest: { incidentId: number; mostHours: number }): ModalView | null {
  const { incidentId, mostHours } = rest;
  const options = HOURS.filter((hours) => hours <= mostHours).map((hours) =>
    toOption([String(hours), `${hours} hours`]),
  );
  if (options.length === 0) return null;
  return {
    type: 'modal',
    callback_id: 'postmortem_snooze',
    private_metadata: JSON.stringify({ incidentId }),
    title: plain('Snooze the reminders'),
    submit: plain('Snooze'),
    close: plain('Cancel'),
    blocks: [
      choice('hours', { label: 'For how long?', options, hint: 'When it is due does not move.' }),
      textArea('reason', { label: 'Why?', max: 500 }),
    ],
  };
}

/** Asked after the incident is resolved: closing it leaves the post-mortem to who it fell to. */
export function ownerModal(place: {
  incidentId: number;
  channelId: string;
  owner: string | null;
}): ModalView {
  const { owner, ...where } = place;
  const initial = owner === null ? {} : { initial_user: owner };
  return {
    type: 'modal',
    callback_id: 'postmortem_owner',
    private_metadata: JSON.stringify(where),
    title: plain('Who writes it up?'),
    submit: plain('Choose'),
    close: plain('Leave it'),
    blocks: [
      smallPrint(`INC-${place.incidentId} is resolved. Its post-mortem is due in 48 hours.`),
      {
        type: 'input',
        block_id: 'owner',
        label: plain('Owner of the post-mortem'),
        element: { type: 'users_select', action_id: 'value', ...initial },
      },
    ],
  };
}
