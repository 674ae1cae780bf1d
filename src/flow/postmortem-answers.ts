import { closest } from 'fastest-levenshtein';
import { type Incident, type Milestones, nameOf } from '../incident/incident.ts';
import { addToTimeline, type timelineOf } from '../incident/incident-store.ts';
import { type Answers, type QuestionKey, questions } from '../postmortem/record.ts';
import type { Flow } from './flow.ts';

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
  { incident, milestones }: { incident: Incident; milestones: Milestones },
): Answers {
  const answers: { -readonly [key in QuestionKey]?: { text: string; by: string } } = {};
  const signal = timeline.find((entry) => entry.kind === 'signal')?.text;
  if (signal !== undefined) answers.whatHappened = { text: `${incident.title}. ${signal}.`, by: 'evidence' };
  if (milestones.started !== undefined) {
    const text = `About ${milestones.started.toISOString()}, by the change-point of the measurements.`;
    answers.whenStarted = { text, by: 'evidence' };
  }
  for (const entry of timeline) {
    const key = entry.data['question'];
    if (entry.kind === 'answer' && typeof key === 'string' && key in questions) {
      answers[key as QuestionKey] = { text: entry.text, by: entry.actor ?? 'unknown' };
    }
  }
  return answers;
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
  const at = flow.clock.now();
  await addToTimeline(flow.db, {
    incidentId: incident.id,
    at,
    kind: 'answer',
    actor: by,
    text: rest.join(' '),
    data: { question: key },
  });
  return `Kept as the answer of ${nameOf(incident.id)} to "${questions[key]}"`;
}
