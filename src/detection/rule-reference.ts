import type { Escalation, RuleSettings } from '../config/rules.ts';
import type { RuleReference } from './rules.ts';

const HEAD = ['rule', 'fires when', 'threshold', 'window', 'needs', 'opens', 'closes', 'sev1 · sev2'];

/** The rule table of the README in Markdown, one line a rule, with the shipped numbers. */
export function ruleTable(reference: readonly RuleReference[]): string {
  const rows = reference.map(({ id, policy, windows, settings }) => [
    `\`${id}\``,
    policy,
    String(settings.threshold),
    windows.join(', '),
    needsOf(settings),
    opensOf(settings),
    closesOf(settings),
    escalationOf(settings),
  ]);
  return [HEAD, HEAD.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function needsOf({ min_samples: samples, min_baseline: baseline }: RuleSettings): string {
  const sample = count(samples);
  return baseline === 0 ? sample : `${sample}, baseline ${count(baseline)}`;
}

function opensOf({ open_polls: polls, open_of_polls: ofPolls, for_minutes: minutes }: RuleSettings): string {
  const when = ofPolls === 1 ? 'at once' : `${polls} of ${ofPolls} polls`;
  return minutes === 0 ? when : `${when}, for ${minutes} min`;
}

function closesOf({ clear_threshold: clear, quiet_minutes: minutes }: RuleSettings): string {
  return `${clear} for ${minutes} min`;
}

function escalationOf({ sev1, sev2, auto_remediate: isAutomatic }: RuleSettings): string {
  const actions = `${actionOf(sev1)} · ${actionOf(sev2)}`;
  return isAutomatic ? `${actions}; remediates` : actions;
}

function actionOf({ action, after_minutes: minutes }: Escalation): string {
  return minutes === 0 ? action : `${action} after ${minutes} min`;
}

const count = (n: number) => n.toLocaleString('en-US');
