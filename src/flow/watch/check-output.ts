import type { Dispatcher } from 'undici';
import { type DeliveryCheckConfig, deliveryCheck, type SafetyConfig, safety } from '../../config/content.ts';
import { InputError, messageOf } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { redact } from '../../redaction.ts';
import { askClassifier, type ClassifierConfig } from '../../sources/content/classifier.ts';
import { type Leak, type LeakFinder, leakFinder } from '../../sources/content/leaks.ts';
import { type PhraseCheck, phraseCheck } from '../../sources/content/policy.ts';

/** An output that a user has not seen yet. */
export interface UndeliveredOutput {
  service: string;
  environment: string;
  output: string;
  input: string | null;
}

export type Verdict = 'allow' | 'redact' | 'block';

export interface CheckAnswer {
  verdict: Verdict;
  /** What may be delivered: null when nothing may. */
  output: string | null;
  /** What was found, for people and logs: kinds and counts, never the texts. */
  reasons: string[];
  /** What decided the verdict. */
  decidedBy: Finding['by'] | 'none';
}

interface Finding {
  by: 'pii' | 'policy' | 'blocked' | 'classifier' | 'failure';
  action: Verdict;
  reasons: string[];
}

export interface CheckSettings {
  safety: SafetyConfig;
  check: DeliveryCheckConfig;
}

export interface OutputChecker {
  check(of: UndeliveredOutput): Promise<CheckAnswer>;
}

interface Parts {
  services: Readonly<Record<string, CheckSettings>>;
  /** Output classes that are blocked beside the configured ones at this moment, as phrases. */
  blockedFor(service: string, environment: string): readonly string[];
  dispatcher: Dispatcher;
  log: Log;
}

/** Compiled once a service. */
interface Rules {
  check: DeliveryCheckConfig;
  leaks: LeakFinder;
  blocked: { phrases: string; find: PhraseCheck };
}

/** The whole answer, the classifier's time included, is there within so long. */
const DEADLINE_MS = 450;
const SHOWN_REASON_CHARS = 200;
const STRICTER: Readonly<Record<Verdict, number>> = { allow: 0, redact: 1, block: 2 };

/**
 * The check before delivery. It answers from memory: configuration and nothing else. Throws InputError at once when a
 * service's words cannot be used.
 */
export function createOutputChecker(parts: Parts): OutputChecker {
  const compiled = new Map<string, Rules>();
  for (const [name, settings] of Object.entries(parts.services)) {
    compiled.set(name, rulesOf(settings, `services.${name}`));
  }
  const defaults = rulesOf({ safety: safety.parse({}), check: deliveryCheck.parse({}) }, 'defaults');
  return {
    async check(of) {
      const rules = compiled.get(of.service) ?? defaults;
      try {
        const blocked = blockedCheck(rules, parts.blockedFor(of.service, of.environment));
        return await checkOutput(of, { ...rules, blocked, parts, startedMs: performance.now() });
      } catch (thrown) {
        parts.log.error(
          { service: of.service, error: messageOf(thrown) },
          'the check before delivery failed',
        );
        return answerOf(of.output, [failed('check: failed', rules.check)]);
      }
    },
  };
}

/** What is wrong with the words and phrases of a config file, one line each with its path. */
export function checkProblems(services: Readonly<Record<string, CheckSettings>>): string[] {
  return Object.entries(services).flatMap(([name, { safety: own, check }]) => [
    ...problemsOf(() => leakFinder(own, `services.${name}.safety.policy_words`)),
    ...problemsOf(() => phraseCheck('blocked class', check.blocked, `services.${name}.check.blocked`)),
  ]);
}

function problemsOf(compile: () => unknown): readonly string[] {
  try {
    compile();
    return [];
  } catch (thrown) {
    if (!(thrown instanceof InputError)) throw thrown;
    return thrown.problems;
  }
}

function rulesOf({ safety, check }: CheckSettings, path: string): Rules {
  return {
    check,
    leaks: leakFinder(safety, `${path}.safety.policy_words`),
    blocked: { phrases: '', find: phraseCheck('blocked class', check.blocked, `${path}.check.blocked`) },
  };
}

/** Compiled again only when somebody blocked or released a class. */
function blockedCheck(rules: Rules, added: readonly string[]): Rules['blocked'] {
  const phrases = added.join('\n');
  if (phrases !== rules.blocked.phrases) {
    const find = phraseCheck('blocked class', [...rules.check.blocked, ...added], 'blocked');
    rules.blocked = { phrases, find };
  }
  return rules.blocked;
}

type Running = Rules & { parts: Parts; startedMs: number };

/** Policy: the strictest finding decides; the classifier is asked only about what would be delivered otherwise. */
async function checkOutput(of: UndeliveredOutput, running: Running): Promise<CheckAnswer> {
  const { check, leaks, blocked } = running;
  let output = of.output;
  const findings: Finding[] = [];
  const note = (by: 'pii' | 'policy', found: { leaks: Leak[]; redacted(): string }) => {
    if (found.leaks.length === 0) return;
    const action = check[by];
    findings.push({ by, action, reasons: found.leaks.map(({ rule, detail }) => `${rule}: ${detail}`) });
    if (action === 'redact') output = found.redacted();
  };
  note('pii', leaks.personal({ input: of.input, output }));
  note('policy', leaks.policy({ input: of.input, output }));
  const classes = [...blocked.find(output).counts].map(([kind, n]) => `${kind} × ${n}`);
  if (classes.length > 0) findings.push({ by: 'blocked', action: 'block', reasons: classes });
  const isBlocked = findings.some(({ action }) => action === 'block');
  if (!isBlocked && check.classifier !== undefined) {
    findings.push(...(await classified({ ...of, output }, check.classifier, running)));
  }
  return answerOf(output, findings);
}

async function classified(
  { service, environment, output }: UndeliveredOutput,
  classifier: ClassifierConfig,
  { check, parts, startedMs }: Running,
): Promise<Finding[]> {
  const leftMs = DEADLINE_MS - (performance.now() - startedMs);
  try {
    const { verdict, reason } = await askClassifier(
      classifier,
      { service, environment, output: redact(output) },
      { timeoutMs: Math.min(classifier.timeout_ms, leftMs), dispatcher: parts.dispatcher },
    );
    if (verdict === 'allow') return [];
    const said = reason === undefined ? '' : `: ${redact(reason).slice(0, SHOWN_REASON_CHARS)}`;
    return [{ by: 'classifier', action: 'block', reasons: [`safety.classifier${said}`] }];
  } catch (thrown) {
    parts.log.warn({ service, error: messageOf(thrown) }, 'the classifier did not answer');
    return [failed('classifier: did not answer', check)];
  }
}

function failed(what: string, { on_failure: onFailure }: DeliveryCheckConfig): Finding {
  const action = onFailure === 'open' ? 'allow' : 'block';
  return { by: 'failure', action, reasons: [`${what}, ${action === 'allow' ? 'let through' : 'held back'}`] };
}

function answerOf(output: string, findings: readonly Finding[]): CheckAnswer {
  const strictest = findings.reduce<Finding | null>(
    (worst, finding) =>
      worst === null || STRICTER[finding.action] > STRICTER[worst.action] ? finding : worst,
    null,
  );
  const verdict = strictest?.action ?? 'allow';
  return {
    verdict,
    output: verdict === 'block' ? null : output,
    reasons: findings.flatMap(({ reasons }) => reasons),
    decidedBy: strictest?.by ?? 'none',
  };
}
