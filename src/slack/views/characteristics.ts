import { createHash } from 'node:crypto';
import type { KnownBlock, ModalView } from '@slack/types';
import { z } from 'zod';
import type { CharacteristicsView } from '../../flow/decide/characteristics-view.ts';
import { person } from '../mrkdwn.ts';
import { type ButtonSpec, buttons, type Rendered, rendered, section, smallPrint } from './blocks.ts';
import type { ViewValues } from './declaration.ts';
import { outsideLine } from './outside-text.ts';

type Question = CharacteristicsView['questions'][number];

const LONGEST_ANSWER = 1_500;

/** The five questions in one message that is edited in place, each with who answered it. */
export function renderCharacteristics({
  incidentId,
  questions,
  mayReproduce,
}: CharacteristicsView): Rendered {
  const open = questions.filter(({ answer }) => answer === null).length;
  const specs: ButtonSpec[] = [
    { label: 'Correct or add', actionId: 'characterise_edit', value: String(incidentId) },
  ];
  if (mayReproduce)
    specs.unshift({
      label: 'Replay 3 failing examples',
      actionId: 'characterise_reproduce',
      value: String(incidentId),
      style: 'primary',
    });
  const text = `Incident ${incidentId}, five questions: ${questions.length - open} of ${questions.length} answered`;
  return rendered(text, [
    section('*What goes wrong*'),
    ...questions.map(questionBlock),
    ...buttons(specs),
    smallPrint(
      'In one line: `/llm-incident characterise started | affected | failure | reproducible | changed TEXT`',
    ),
  ]);
}

function questionBlock({ asked, answer, by, evidence }: Question): KnownBlock {
  const who = by === null ? 'the evidence' : person(by);
  return section(
    `*${asked}*`,
    answer === null ? 'Nobody has answered yet.' : `${outsideLine(answer, 900)} _– ${who}_`,
    evidence === null ? null : `_The evidence says:_ ${outsideLine(evidence, 700)}`,
  );
}

const metadata = z.object({
  incidentId: z.number().int(),
  channelId: z.string(),
  /** Digests of what the form showed: an answer that nobody touched is nobody's. */
  shown: z.record(z.string(), z.string()).default({}),
});

/** What a form is about. */
export type CharacteriseSubject = Omit<z.infer<typeof metadata>, 'shown'>;

/** The five answers to be corrected; what stays as it is stays whose it was. */
export function characteriseModal(about: CharacteriseSubject, { questions }: CharacteristicsView): ModalView {
  const shown = Object.fromEntries(questions.map((one) => [one.question, digestOf(initialOf(one))] as const));
  return {
    type: 'modal',
    callback_id: 'characterise',
    private_metadata: JSON.stringify({ ...about, shown }),
    title: plain('What goes wrong?'),
    submit: plain('Keep'),
    close: plain('Not now'),
    blocks: questions.map(input),
  };
}

const initialOf = ({ answer }: Question) => (answer ?? '').toWellFormed().slice(0, LONGEST_ANSWER).trim();

const digestOf = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 16);

function input(one: Question): KnownBlock {
  const { question, asked } = one;
  const initial = initialOf(one);
  return {
    type: 'input',
    block_id: question,
    optional: true,
    label: plain(asked),
    element: {
      type: 'plain_text_input',
      action_id: 'value',
      multiline: true,
      max_length: LONGEST_ANSWER,
      ...(initial === '' ? {} : { initial_value: initial }),
    },
  };
}

/** What was sent: the subject and each answer that somebody changed; null where the form is none of ours. */
export function readCharacterise(view: {
  private_metadata: string;
  state: { values: unknown };
}): { about: CharacteriseSubject; answers: { question: string; text: string }[] } | null {
  const read = metadata.safeParse(jsonOf(view.private_metadata));
  if (!read.success) return null;
  const { shown, ...about } = read.data;
  const values = view.state.values as ViewValues;
  const answers = Object.entries(values).flatMap(([question, fields]) => {
    const text = (fields['value']?.value ?? '').trim();
    return text === '' || digestOf(text) === shown[question] ? [] : [{ question, text }];
  });
  return { about, answers };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const plain = (text: string) => ({ type: 'plain_text' as const, text });
