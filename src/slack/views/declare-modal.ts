import type { KnownBlock, ModalView } from '@slack/types';
import { z } from 'zod';
import { truncate } from '../mrkdwn.ts';
import { section } from './blocks.ts';
import { choice, groupedChoice, type OptionGroup, plain, toOption } from './form-parts.ts';
import { outsideLine } from './outside-text.ts';

/** The option that stands for a service which is not configured. */
export const OTHER_SERVICE = '__other__';
/** The option that stands for not knowing how bad it is yet. */
export const ASK_SEVERITY = 'ask';

/** A message that the form was opened from. */
const broughtMessage = z.object({
  channelId: z.string(),
  ts: z.string(),
  /** Null for an app. */
  author: z.string().nullable(),
  /** Redacted, on one line. */
  text: z.string(),
});
export type BroughtMessage = z.infer<typeof broughtMessage>;

/** What the form carries along: where it was opened, and from which message. */
export const formMetadata = z.looseObject({
  channelId: z.string().optional(),
  message: broughtMessage.optional(),
});

export interface DeclareModal {
  /** Configured services; with none, or more than a thousand, the name is typed. */
  services: readonly string[];
  /** Who will be paged for which severity. */
  paging?: string;
  title?: string;
  channelId?: string;
  message?: BroughtMessage;
  /** Symptoms of the playbook; with none, the symptom is typed. */
  symptoms?: readonly { id: string; symptom: string }[];
}

const MAX_OPTIONS = 100;
/** A form of so many names is half of what Slack takes. */
const MAX_LISTED = 1_000;
const CATEGORIES = [
  ['quality', 'Quality: wrong, odd or refused answers'],
  ['outage', 'Outage: errors, timeouts, no answers'],
  ['cost', 'Cost: tokens or spend out of proportion'],
  ['safety', 'Safety: harmful output or leaked data'],
] as const;
const SEVERITIES = [
  ['sev1', 'SEV1: many users, or real harm'],
  ['sev2', 'SEV2: some users, or getting worse'],
  ['sev3', 'SEV3: few users, no hurry'],
  [ASK_SEVERITY, 'Not sure: three questions decide'],
] as const;

/** The form behind `/llm-incident declare`: a title and two choices are enough, the rest may stay empty. */
export function declareModal(form: DeclareModal): ModalView {
  return {
    type: 'modal',
    callback_id: 'declare',
    private_metadata: JSON.stringify({ channelId: form.channelId, message: form.message }),
    title: plain('Declare an incident'),
    submit: plain('Declare'),
    close: plain('Cancel'),
    blocks: [
      ...(form.message === undefined ? [] : [quoted(form.message)]),
      titleInput(form.title),
      choice('category', { label: 'What kind is it?', options: CATEGORIES.map(toOption) }),
      choice('severity', {
        label: 'How bad is it?',
        options: SEVERITIES.map(toOption),
        ...(form.paging === undefined ? {} : { hint: form.paging }),
      }),
      serviceInput(form.services),
      symptomInput(form.symptoms ?? []),
      startedAtInput(),
      privateInput(),
    ],
  };
}

function quoted({ text }: BroughtMessage): KnownBlock {
  return section(`It comes along from the message: ${outsideLine(text, 500) || 'no text'}`);
}

function titleInput(title: string | undefined): KnownBlock {
  const initial = truncate((title ?? '').replace(/\s+/g, ' ').trim().toWellFormed(), 150);
  return {
    type: 'input',
    block_id: 'title',
    label: plain('What is wrong?'),
    element: {
      type: 'plain_text_input',
      action_id: 'value',
      min_length: 3,
      max_length: 150,
      placeholder: plain('Support answers quote prices that do not exist'),
      ...(initial === '' ? {} : { initial_value: initial }),
    },
  };
}

/** Policy: what is configured is chosen, in groups where Slack's menus hold no more; past a thousand the name is typed. */
function serviceInput(services: readonly string[]): KnownBlock {
  const label = 'Which service?';
  const fits =
    services.length <= MAX_LISTED && services.every((name) => name.length > 0 && name.length <= 150);
  if (services.length === 0 || !fits)
    return typed('service', { label, hint: 'Its name as it is configured, if you know it' });
  const other = toOption([OTHER_SERVICE, 'other / unknown']);
  const options = services.map((name) => toOption([name, name]));
  if (options.length < MAX_OPTIONS)
    return choice('service', { label, options: [...options, other], optional: true });
  const groups = [...inGroups(services), { label: plain('Not one of these'), options: [other] }];
  return groupedChoice('service', { label, groups, optional: true });
}

/** By name, each group under its first and last. */
function inGroups(services: readonly string[]): OptionGroup[] {
  const sorted = services.toSorted((a, b) => a.localeCompare(b));
  const starts = Array.from(
    { length: Math.ceil(sorted.length / MAX_OPTIONS) },
    (_none, i) => i * MAX_OPTIONS,
  );
  return starts.map((start) => {
    const names = sorted.slice(start, start + MAX_OPTIONS);
    const ends = [names[0], names.at(-1)].map((name = '') => truncate(name, 34));
    return { label: plain(ends.join(' … ')), options: names.map((name) => toOption([name, name])) };
  });
}

function symptomInput(symptoms: NonNullable<DeclareModal['symptoms']>): KnownBlock {
  const label = 'What do users see?';
  if (symptoms.length === 0)
    return typed('symptom', { label, hint: 'Wrong answers, refusals, slow answers …' });
  const options = symptoms.slice(0, MAX_OPTIONS).map(({ id, symptom }) => toOption([id, symptom]));
  return choice('symptom', { label, options, optional: true });
}

function startedAtInput(): KnownBlock {
  return {
    type: 'input',
    block_id: 'started_at',
    optional: true,
    label: plain('When did it start?'),
    hint: plain('Leave it empty if you do not know; the evidence will suggest a time.'),
    element: { type: 'datetimepicker', action_id: 'value' },
  };
}

function privateInput(): KnownBlock {
  return {
    type: 'input',
    block_id: 'private',
    optional: true,
    label: plain('Who may see it?'),
    hint: plain('A safety incident is private and SEV1 whatever you choose here.'),
    element: {
      type: 'checkboxes',
      action_id: 'value',
      options: [toOption(['private', 'Private: only people who are invited'])],
    },
  };
}

function typed(blockId: string, about: { label: string; hint: string }): KnownBlock {
  return {
    type: 'input',
    block_id: blockId,
    optional: true,
    label: plain(about.label),
    element: {
      type: 'plain_text_input',
      action_id: 'value',
      max_length: 150,
      placeholder: plain(about.hint),
    },
  };
}
