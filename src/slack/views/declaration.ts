import type { Category, Severity } from '../../db/schema.ts';
import type { Declared } from '../../flow/incident/declare.ts';
import { ASK_SEVERITY, OTHER_SERVICE } from './declare-modal.ts';

/** `view.state.values` of a submission, as Slack sends it: by block, then by action. */
export type ViewValues = Readonly<Record<string, Readonly<Record<string, ViewAnswer>>>>;

export interface ViewAnswer {
  value?: string | null | undefined;
  selected_option?: { value?: string | undefined } | null | undefined;
  selected_options?: readonly { value?: string | undefined }[] | null | undefined;
  selected_date_time?: number | null | undefined;
}

export type ReadDeclaration =
  | { values: Declared; unrated?: never; errors?: never }
  /** All but the severity, which is to be asked for. */
  | { values?: never; unrated: Omit<Declared, 'severity'>; errors?: never }
  | { values?: never; unrated?: never; errors: Record<string, string> };

const CATEGORIES: readonly Category[] = ['outage', 'quality', 'cost', 'safety'];
const SEVERITIES: readonly Severity[] = ['sev1', 'sev2', 'sev3'];
// The picker has whole minutes and the browser its own clock, so a start just ahead of ours is taken as now.
const CLOCK_SKEW_MS = 120_000;

/** What was filled in, or for each block what is wrong with it, for Slack to show beside the field. */
export function readDeclaration(values: ViewValues, now: Date): ReadDeclaration {
  const title = (textOf(values, 'title') ?? '').replace(/\s+/g, ' ');
  const category = CATEGORIES.find((known) => known === textOf(values, 'category'));
  const chosen = textOf(values, 'severity');
  const severity = SEVERITIES.find((known) => known === chosen);
  const isUnrated = chosen === ASK_SEVERITY;
  const service = textOf(values, 'service');
  const startedAt = dateOf(values);
  const errors = {
    ...problem('title', titleProblem(title)),
    ...problem('category', category === undefined ? `Choose one of: ${CATEGORIES.join(', ')}.` : null),
    ...problem(
      'severity',
      severity === undefined && !isUnrated ? `Choose one of: ${SEVERITIES.join(', ')}.` : null,
    ),
    ...problem('service', (service ?? '').length > 150 ? 'A service name has at most 150 characters.' : null),
    ...problem('started_at', startProblem(startedAt, now)),
  };
  if (category === undefined || Object.keys(errors).length > 0) return { errors };
  const unrated = {
    title,
    category,
    service: service === OTHER_SERVICE ? null : service,
    symptom: textOf(values, 'symptom'),
    startedAt: startedAt !== null && startedAt > now ? now : startedAt,
    private: isChecked(values, 'private'),
  };
  return severity === undefined ? { unrated } : { values: { ...unrated, severity } };
}

function titleProblem(title: string): string | null {
  if (title === '') return 'Say in a few words what is wrong.';
  if (title.length < 3) return 'A title has at least 3 characters.';
  return title.length > 150 ? `A title has at most 150 characters; this one has ${title.length}.` : null;
}

function startProblem(startedAt: Date | null, now: Date): string | null {
  if (startedAt === null) return null;
  if (Number.isNaN(startedAt.getTime())) return 'Choose a date and a time, or leave it empty.';
  const ahead = startedAt.getTime() - now.getTime() > CLOCK_SKEW_MS;
  return ahead ? 'This is in the future. Choose when it began, or leave it empty.' : null;
}

function problem(blockId: string, message: string | null): Record<string, string> {
  return message === null ? {} : { [blockId]: message };
}

// One question a block, so the block's first answer is its answer whatever its action is called.
function answerOf(values: ViewValues, blockId: string): ViewAnswer | undefined {
  return Object.hasOwn(values, blockId) ? Object.values(values[blockId] ?? {})[0] : undefined;
}

function textOf(values: ViewValues, blockId: string): string | null {
  const answer = answerOf(values, blockId);
  const text = (answer?.selected_option?.value ?? answer?.value ?? '').trim();
  return text === '' ? null : text;
}

function dateOf(values: ViewValues): Date | null {
  const seconds = answerOf(values, 'started_at')?.selected_date_time;
  return seconds === null || seconds === undefined ? null : new Date(seconds * 1000);
}

function isChecked(values: ViewValues, blockId: string): boolean {
  return (answerOf(values, blockId)?.selected_options ?? []).some((option) => option.value === blockId);
}
