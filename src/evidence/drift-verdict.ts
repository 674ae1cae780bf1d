import type { StoredEvaluation } from '../detection/evaluation-store.ts';

/** Whether the failure could have been seen before it was declared, and why that is said; sentences hold no outside text. */
export interface DriftVerdict {
  verdict: 'visible and missed' | 'not visible' | 'not known';
  because: string[];
}

type Evaluated = Pick<StoredEvaluation, 'rule' | 'at' | 'state' | 'value' | 'threshold' | 'warning'>;

/** What rings within so short a time is how it was noticed, not something that was missed. */
const NOTICED_WITHIN_MS = 5 * 60_000;

/**
 * Policy: it was visible and missed when a rule or an early warning was past its threshold more than five minutes before
 * the declaration; not visible when rules had enough data all the time and none was; otherwise nobody can tell.
 */
export function driftVerdict(evaluations: readonly Evaluated[], declaredAt: Date): DriftVerdict {
  const before = evaluations.filter(({ at }) => declaredAt.getTime() - at.getTime() > NOTICED_WITHIN_MS);
  const seen = Map.groupBy(before.filter(isPast), nameOf);
  if (seen.size > 0) {
    return { verdict: 'visible and missed', because: [...seen].map((entry) => missed(entry, declaredAt)) };
  }
  const judged = Map.groupBy(before, nameOf);
  const blind = [...judged].filter(([, all]) => all.every(({ state }) => BLIND.includes(state)));
  const watched = judged.size - blind.length;
  const gaps =
    blind.length === 0 ? [] : [`Had no data or too few samples: ${blind.map(([name]) => name).join(', ')}.`];
  if (watched === 0)
    return { verdict: 'not known', because: ['No rule had enough data to judge by.', ...gaps] };
  const none = `${watched} ${watched === 1 ? 'rule had' : 'rules had'} enough data, and none was past its threshold until five minutes before the declaration.`;
  return { verdict: 'not visible', because: [none, ...gaps] };
}

const BLIND: readonly string[] = ['no-data', 'insufficient'];

const isPast = ({ state }: Evaluated) => state === 'firing';

function nameOf({ rule, warning }: Evaluated): string {
  return warning ? `${rule} (early warning)` : rule;
}

function missed([name, all]: [string, Evaluated[]], declaredAt: Date): string {
  const first = all.reduce((a, b) => (a.at <= b.at ? a : b));
  const minutes = Math.round((declaredAt.getTime() - first.at.getTime()) / 60_000);
  const limit = first.threshold === null ? '' : `, threshold ${first.threshold}`;
  const value = first.value === null ? '' : ` (${Number(first.value.toPrecision(3))}${limit})`;
  return `${name} was past its threshold ${minutes} minutes before the declaration${value}.`;
}
