import type { Random } from '../../random.ts';
import type { EmittedCall } from './otlp-calls.ts';
import { countTokens } from './simulated-answers.ts';
import type { ControlAction } from './simulated-control.ts';

/** What the feature obeys beside its prompt, its model and its switch. */
export interface Settings {
  fallback: string;
  tokenCap: number | null;
  disclaimer: string | null;
  /** By "user NAME", "session NAME", "endpoint NAME": requests a minute. */
  limits: Record<string, number>;
  /** Percent by the model, prompt version or PROMPT=VERSION that gets it. */
  split: Record<string, number>;
  /** By query type, which is an endpoint here. */
  types: Record<string, boolean>;
  blocked: string[];
}

export const SIMPLE_MODEL = 'gpt-3.5-turbo-0125';
const HELD_BACK = 'This answer was held back.';
const MINUTE_MS = 60_000;

export function settingsAtRest(): Settings {
  return {
    fallback: 'none',
    tokenCap: null,
    disclaimer: null,
    limits: {},
    split: {},
    types: {},
    blocked: [],
  };
}

/** As the read-back of the signed webhook has them. */
export function settingsRead(settings: Settings): object {
  const { fallback, tokenCap, disclaimer, limits, split, types, blocked } = settings;
  return { fallback, token_cap: tokenCap, disclaimer, limits, split, types, blocked };
}

/** Makes the change when it is one of these kinds. */
export function changeSettings(settings: Settings, action: ControlAction): void {
  switch (action.action) {
    case 'fallback':
      settings.fallback = action.to;
      return;
    case 'token-cap':
      settings.tokenCap = action.to;
      return;
    case 'disclaimer':
      settings.disclaimer = action.to;
      return;
    case 'limit':
      if (action.to === null) delete settings.limits[action.subject];
      else settings.limits[action.subject] = action.to;
      return;
    case 'split':
      settings.split[action.subject] = action.to;
      return;
    case 'type':
      settings.types[action.subject] = action.to;
      return;
    case 'blocked': {
      const others = settings.blocked.filter((phrase) => phrase !== action.subject);
      settings.blocked = action.to ? [...others, action.subject] : others;
      return;
    }
    default:
  }
}

/** Which arm of the split gets the next call; null: what is served otherwise. */
export function armFor({ split }: Settings, random: Random): string | null {
  const arms = Object.entries(split).filter(([, percent]) => percent > 0);
  if (arms.length === 0) return null;
  let left = random.next() * 100;
  for (const [arm, percent] of arms) {
    left -= percent;
    if (left < 0) return arm;
  }
  return null;
}

/** Fallbacks but the simple model answer without a model, so no call is made. */
export function answersByModel({ fallback }: Settings): boolean {
  return fallback === 'none' || fallback === 'simple';
}

/** What becomes of calls under the settings: who is over a limit gets no answer, and outputs are cut, marked, held back. */
export function underSettings(settings: Settings, calls: readonly EmittedCall[]): EmittedCall[] {
  const taken = new Map<string, number>();
  return calls
    .filter((call) => settings.types[call.endpoint ?? ''] !== false && isUnderLimit(settings, call, taken))
    .map((call) => withOutput(settings, call));
}

function isUnderLimit({ limits }: Settings, call: EmittedCall, taken: Map<string, number>): boolean {
  const names = [`user ${call.user}`, `session ${call.session}`, `endpoint ${call.endpoint}`];
  return names
    .filter((name) => limits[name] !== undefined)
    .every((name) => {
      const key = `${name} ${Math.floor(call.endedAt.getTime() / MINUTE_MS)}`;
      const n = (taken.get(key) ?? 0) + 1;
      taken.set(key, n);
      return n <= (limits[name] ?? 0);
    });
}

function withOutput({ tokenCap, disclaimer, blocked }: Settings, call: EmittedCall): EmittedCall {
  const { output } = call;
  if (output === undefined || (tokenCap === null && disclaimer === null && blocked.length === 0)) return call;
  const held = blocked.some((phrase) => output.toLowerCase().includes(phrase.toLowerCase()));
  const said = held ? HELD_BACK : output;
  const cut =
    tokenCap === null
      ? said
      : said
          .split(' ')
          .slice(0, Math.max(1, Math.floor(tokenCap / 2)))
          .join(' ');
  const outputTokens = Math.min(countTokens(cut), tokenCap ?? Number.POSITIVE_INFINITY);
  return { ...call, output: disclaimer === null ? cut : `${cut}\n\n${disclaimer}`, outputTokens };
}
