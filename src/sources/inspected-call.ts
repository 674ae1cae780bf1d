import type { ServiceConfig } from '../config/config-file.ts';
import { safety as safetyShape } from '../config/content.ts';
import { type CallFeatures, type CallTexts, inspectCall } from './content/inspect.ts';
import { leaksOf } from './content/leaks.ts';
import { formatCheck } from './content/output-format.ts';

/** What the texts of a call show under the configuration of its service. */
export interface Inspected {
  features: CallFeatures;
  /** Null when the service has no format, or the call no output. */
  formatOk: boolean | null;
  /** One a rule: the kinds of what the output leaked. */
  leaks: { rule: string; kinds: string[] }[];
}

type ContentConfig = Pick<ServiceConfig, 'format' | 'safety'>;

const DEFAULTS: ContentConfig = { safety: safetyShape.parse({}) };

/** Compiles what is looked for in the calls of one service; null for one that is not configured. */
export function callInspector(config: ContentConfig | null): (texts: CallTexts) => Inspected {
  const { format, safety } = config ?? DEFAULTS;
  const isWellFormed = format === undefined ? null : formatCheck(format);
  return (texts) => {
    const { output } = texts;
    const kinds = new Map<string, string[]>();
    for (const { rule, kind } of output === null ? [] : leaksOf(texts, safety)) {
      kinds.set(rule, [...(kinds.get(rule) ?? []), kind]);
    }
    return {
      features: inspectCall(texts),
      formatOk: isWellFormed === null || output === null ? null : isWellFormed(output),
      leaks: [...kinds].map(([rule, its]) => ({ rule, kinds: its })),
    };
  };
}

const SAFE_LABELS = new Set(['safe', 'ok', 'pass', 'none', 'allow', 'benign']);
const FALSE_LABELS = new Set(['', 'false', 'no', 'none', '0']);

/** What a classifier or a user said about the safety of a call. */
export interface SafetyVerdict {
  name: 'safety' | 'user_flag';
  value: number | null;
  label: string | null;
}

/**
 * The event that a verdict is. Policy: a `safety` label other than safe, ok, pass, none, allow or benign is one, and a
 * `user_flag` above 0, or without a number, with a label that is not a no.
 */
export function eventOf({ name, value, label }: SafetyVerdict): { rule: string; kind: string } | null {
  const said = (label ?? '').trim();
  if (name === 'safety') {
    return said === '' || SAFE_LABELS.has(said.toLowerCase())
      ? null
      : { rule: 'safety.classifier', kind: said };
  }
  const isFlagged = value === null ? !FALSE_LABELS.has(said.toLowerCase()) : value > 0;
  return isFlagged ? { rule: 'safety.user_flag', kind: 'flagged by a user' } : null;
}
