import type { ModalView } from '@slack/types';
import { z } from 'zod';
import type { Declared } from '../../flow/incident/declare.ts';
import { AFFECTED, EXPOSED, HARM, type Impact } from '../../incident/impact.ts';
import type { ViewValues } from './declaration.ts';
import { formMetadata } from './declare-modal.ts';
import { choice, plain, toOption } from './form-parts.ts';

/** What was filled in before, and what names that form; a forged one is refused. */
const metadata = z.object({
  form: formMetadata,
  origin: z.string(),
  declared: z.object({
    title: z.string(),
    category: z.enum(['outage', 'quality', 'cost', 'safety']),
    service: z.string().nullable(),
    symptom: z.string().nullable(),
    startedAt: z.iso.datetime().nullable(),
    private: z.boolean(),
  }),
});

export type AskedImpact = z.infer<typeof metadata>;

const ANSWERS = {
  affected: [
    ['most', 'Most users of it'],
    ['some', 'Some of them'],
    ['few', 'A few'],
    ['unsure', 'I do not know'],
  ],
  harm: [
    ['down', 'No answers at all'],
    ['harmful', 'Answers that may harm somebody'],
    ['wrong', 'Wrong answers'],
    ['degraded', 'Slow or worse answers'],
    ['unsure', 'I do not know'],
  ],
  exposed: [
    ['no', 'No'],
    ['yes', 'Yes: it becomes a private safety incident'],
    ['unsure', 'I do not know'],
  ],
} as const satisfies Record<keyof Impact, readonly (readonly [string, string])[]>;

const LABELS: Record<keyof Impact, string> = {
  affected: 'Who meets it?',
  harm: 'What do they meet?',
  exposed: 'Did somebody see what they must not see?',
};

/** Three questions that decide the severity, on top of the form that asked for them. */
export function impactModal(
  before: Omit<Declared, 'severity'>,
  { form, origin }: Pick<AskedImpact, 'form' | 'origin'>,
): ModalView {
  const { title, category, service, symptom, startedAt, private: isPrivate } = before;
  const at = startedAt === null ? null : startedAt.toISOString();
  const declared = { title, category, service, symptom, startedAt: at, private: isPrivate };
  return {
    type: 'modal',
    callback_id: 'declare_impact',
    private_metadata: JSON.stringify({ form, origin, declared } satisfies AskedImpact),
    title: plain('How bad is it?'),
    submit: plain('Declare'),
    close: plain('Back'),
    blocks: (Object.keys(ANSWERS) as (keyof Impact)[]).map((question) =>
      choice(question, { label: LABELS[question], options: ANSWERS[question].map(toOption) }),
    ),
  };
}

/** The answers with what was filled in before; null where it is no form of ours. */
export function readImpact(view: {
  private_metadata: string;
  state: { values: unknown };
}): (AskedImpact & { impact: Impact }) | null {
  const values = view.state.values as ViewValues;
  const chosen = (block: keyof Impact) => values[block]?.['value']?.selected_option?.value;
  const answers = z
    .object({ affected: z.enum(AFFECTED), harm: z.enum(HARM), exposed: z.enum(EXPOSED) })
    .safeParse({ affected: chosen('affected'), harm: chosen('harm'), exposed: chosen('exposed') });
  const asked = metadata.safeParse(JSON.parse(view.private_metadata || '{}'));
  return answers.success && asked.success ? { ...asked.data, impact: answers.data } : null;
}
