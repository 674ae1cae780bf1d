import type { Playbook, Step, Symptom } from './playbook.ts';

/** One line of a drawn tree: how deep it stands, after which answer, and what it is. */
export interface OutlineRow {
  depth: number;
  answer: 'yes' | 'no' | 'unknown' | 'no or unknown' | 'in any case' | null;
  kind: 'symptom' | 'cause' | 'step' | 'leaf' | 'again';
  text: string;
  /** It was on the way that was walked: a step that was asked, the end that was reached. */
  isWalked: boolean;
}

export type Walked = ReadonlyMap<string, string | null>;

type Way = Pick<OutlineRow, 'depth' | 'answer'>;

/**
 * A branch as an outline: each step once, with its answers under it; answers that lead to one place share a row, and what
 * was drawn before is only named. `walked` holds the answers by the ids of the steps that were asked.
 */
export function outlineOf(playbook: Playbook, symptom: Symptom, walked: Walked): OutlineRow[] {
  const drawn = new Set<string>();
  const root: OutlineRow[] = [
    { depth: 0, answer: null, kind: 'symptom', text: symptom.symptom, isWalked: walked.size > 0 },
    { depth: 0, answer: null, kind: 'cause', text: `Most likely: ${symptom.likely_cause}`, isWalked: false },
  ];
  const draw = (id: string, way: Way): OutlineRow[] => {
    const step = symptom.steps.find((one) => one.id === id);
    if (step === undefined) return [];
    const row = { ...way, text: step.instruction, isWalked: walked.has(id) };
    if (drawn.has(id)) return [{ ...row, kind: 'again' as const, text: `↑ ${step.instruction}` }];
    drawn.add(id);
    const below = waysOf(step).flatMap(({ answer, to }): OutlineRow[] => {
      const next = { depth: way.depth + 1, answer };
      if (typeof to === 'string') return draw(to, next);
      const text = playbook.leaves[to.leaf]?.advice ?? to.leaf;
      return [{ ...next, kind: 'leaf', text, isWalked: leads(answer, walked.get(id)) }];
    });
    return [{ ...row, kind: 'step' as const }, ...below];
  };
  return [...root, ...draw(symptom.steps[0]?.id ?? '', { depth: 0, answer: null })];
}

/** Whether the answer that was given is among those that this row stands for. */
function leads(answer: OutlineRow['answer'], given: string | null | undefined): boolean {
  if (given === null || given === undefined) return false;
  return answer === 'in any case' || (answer ?? '').split(' or ').includes(given);
}

/** All symptoms with their likely cause and the first investigation. */
export function overviewOf(playbook: Playbook): OutlineRow[] {
  return playbook.symptoms.flatMap(({ symptom, likely_cause, steps }): OutlineRow[] => [
    { depth: 0, answer: null, kind: 'symptom', text: symptom, isWalked: false },
    { depth: 1, answer: null, kind: 'cause', text: `Most likely: ${likely_cause}`, isWalked: false },
    { depth: 1, answer: null, kind: 'step', text: steps[0]?.instruction ?? '', isWalked: false },
  ]);
}

function waysOf({ yes, no, unknown }: Step): { answer: OutlineRow['answer']; to: Step['yes'] }[] {
  const same = (a: Step['yes'], b: Step['yes']) => JSON.stringify(a) === JSON.stringify(b);
  if (same(yes, no) && same(no, unknown)) return [{ answer: 'in any case', to: yes }];
  if (same(no, unknown))
    return [
      { answer: 'yes', to: yes },
      { answer: 'no or unknown', to: no },
    ];
  return [
    { answer: 'yes', to: yes },
    { answer: 'no', to: no },
    { answer: 'unknown', to: unknown },
  ];
}

const ON_THE_WAY: Partial<Record<OutlineRow['kind'], string>> = { step: ' (asked)', leaf: ' (reached)' };

/** The outline as text, for who cannot see the picture. */
export function outlineText(rows: readonly OutlineRow[]): string {
  return rows
    .map(({ depth, answer, text, kind, isWalked }) => {
      const said = `${answer === null ? '' : `${answer}: `}${text}`;
      return `${'  '.repeat(depth)}${said}${isWalked ? (ON_THE_WAY[kind] ?? '') : ''}`;
    })
    .join('\n');
}
