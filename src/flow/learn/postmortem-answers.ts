import { closest } from 'fastest-levenshtein';
import type { Characteristic } from '../../decision/characteristic.ts';
import type { CountingAnswer } from '../../decision/characteristic-store.ts';
import { type Incident, type Milestones, nameOf } from '../../incident/incident.ts';
import type { timelineOf } from '../../incident/incident-store.ts';
import { type Answers, type QuestionKey, questions } from '../../postmortem/record.ts';
import type { Flow } from '../flow.ts';
import { writeFields, writtenOf } from './written-fields.ts';

type Timeline = Awaited<ReturnType<typeof timelineOf>>;

/** The words by which people name the five questions in a command. */
export const QUESTION_WORDS: Record<string, QuestionKey> = {
  happened: 'whatHappened',
  started: 'whenStarted',
  caught: 'whyNotCaught',
  diagnose: 'whyHardToDiagnose',
  prevents: 'whatPrevents',
};

/** What people answered, the newest answer each; where evidence can answer and nobody did, what it says. */
export function answersOf(
  timeline: Timeline,
  {
    incident,
    milestones,
    characteristics = new Map(),
  }: {
    incident: Incident;
    milestones: Milestones;
    characteristics?: ReadonlyMap<Characteristic, CountingAnswer>;
  },
): Answers {
  const answers: { -readonly [key in QuestionKey]?: { text: string; by: string } } = {};
  const signal = timeline.find((entry) => entry.kind === 'signal')?.text;
  if (signal !== undefined) answers.whatHappened = { text: `${incident.title}. ${signal}.`, by: 'evidence' };
  if (milestones.started !== undefined) {
    const minute = milestones.started.toISOString().slice(0, 16).replace('T', ' ');
    const text = `About ${minute} UTC, by the change-point of the measurements.`;
    answers.whenStarted = { text, by: 'evidence' };
  }
  Object.assign(answers, characterised(answers, characteristics));
  for (const [field, { text, by }] of writtenOf(timeline))
    if (field in questions) answers[field as QuestionKey] = { text, by };
  return answers;
}

/** What was said while it went on: when it started, and what it looked like beside what fired. */
function characterised(
  { whatHappened }: Answers,
  said: ReadonlyMap<Characteristic, CountingAnswer>,
): Answers {
  const started = said.get('started')?.counts;
  const isKnown = started !== undefined && (started.by !== null || 'at' in started.evidence);
  const parts = [said.get('affected'), said.get('failure')].flatMap((one) => one?.counts ?? []);
  const looks = parts.map(({ text }) => text).join(' ');
  const person = parts.find(({ by }) => by !== null)?.by ?? null;
  return {
    ...(isKnown ? { whenStarted: { text: started.text, by: started.by ?? 'evidence' } } : {}),
    ...(parts.length === 0
      ? {}
      : {
          whatHappened: {
            text: whatHappened === undefined ? looks : `${whatHappened.text} ${looks}`,
            by: person ?? 'evidence',
          },
        }),
  };
}

/** Keeps a person's answer to one of the five questions, named by its word; replies to whoever gave it. */
export async function answerQuestion(
  flow: Pick<Flow, 'db' | 'clock'>,
  given: { incident: Incident; by: string; text: string },
): Promise<string> {
  const [word = '', ...rest] = given.text.trim().split(/\s+/);
  const words = Object.keys(QUESTION_WORDS);
  const key = Object.hasOwn(QUESTION_WORDS, word) ? QUESTION_WORDS[word] : undefined;
  if (key === undefined)
    return `Name the question by its word: ${words.join(', ')}. Did you mean ${closest(word, words)}?`;
  if (rest.length === 0)
    return `Say the answer as well: \`postmortem answer ${word} TEXT\`. The question: ${questions[key]}`;
  const { incident, by } = given;
  await writeFields(flow, { incident, by, texts: new Map([[key, rest.join(' ')]]), rewrite: false });
  return `Kept as the answer of ${nameOf(incident.id)} to "${questions[key]}"`;
}
