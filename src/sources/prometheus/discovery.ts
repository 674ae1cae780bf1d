import type { PrometheusConfig } from '../../config/sources.ts';
import { ExternalError } from '../../errors.ts';
import { litellm, vllm } from './gateway-profiles.ts';
import { openllmetry, otel, otelNext } from './gen-ai-profiles.ts';
import { own } from './own-profile.ts';
import type { MetricNames, Profile, Recipes } from './profile.ts';
import type { PrometheusWire } from './wire.ts';

const KNOWN_NAMES = 'gen_ai_.+|litellm_.+|vllm:.+|llm_.+';
const HOUR_MS = 3_600_000;
const LOOK_AGAIN_MS = 5 * 60_000;
const LOOK_BACK_MS = 7 * 24 * HOUR_MS;
/** The first profile that has a measure gives it: what was named for this purpose before what fits as well. */
const PROFILES: readonly Profile[] = [own, openllmetry, otelNext, otel, litellm, vllm];

/** `isAbsent`: nothing was refused, there is only no such metric. */
export type Discovered = { recipes: Recipes } | { problem: string; isAbsent: boolean };

export interface Discovery {
  /** What can be measured of the services that these selectors pick. Looks again every hour. */
  recipesOf(
    selectors: readonly string[],
    at: { now: Date; signal: AbortSignal },
  ): Promise<Map<string, Discovered>>;
  /** Something that was asked for is not there: looks again in five minutes. */
  missing(selector: string): void;
}

interface Seen {
  atMs: number;
  /** A metric that went silent is still known: it is no data, and not a measure that never was. */
  names: Set<string>;
  discovered: Discovered;
  isMissing: boolean;
}

export function discovery(wire: PrometheusWire, profile: PrometheusConfig['profile']): Discovery {
  const seen = new Map<string, Seen>();

  const look = async (selector: string, at: { now: Date; signal: AbortSignal }): Promise<void> => {
    const before = seen.get(selector);
    const atMs = at.now.getTime();
    const fresh = before?.isMissing === false ? HOUR_MS : LOOK_AGAIN_MS;
    if (before !== undefined && atMs - before.atMs < fresh) return;
    const span = { startS: Math.floor((atMs - LOOK_BACK_MS) / 1000), endS: Math.floor(atMs / 1000) };
    try {
      const matcher = `{${selector}, __name__=~"${KNOWN_NAMES}"}`;
      const found = await wire.metricNames(matcher, span, at.signal);
      seen.set(selector, afterLook(found, { before, atMs, profile, selector }));
    } catch (thrown) {
      if (before === undefined || !(thrown instanceof ExternalError)) throw thrown;
    }
  };

  return {
    async recipesOf(selectors, at) {
      const wanted = [...new Set(selectors)];
      await Promise.all(wanted.map((selector) => look(selector, at)));
      return new Map(wanted.flatMap((selector) => entryOf(selector, seen.get(selector))));
    },
    missing(selector) {
      const known = seen.get(selector);
      if (known !== undefined) known.isMissing = true;
    },
  };
}

const entryOf = (selector: string, seen: Seen | undefined): [string, Discovered][] =>
  seen === undefined ? [] : [[selector, seen.discovered]];

function afterLook(
  found: string[] | { refusal: string },
  of: {
    before: Seen | undefined;
    atMs: number;
    profile: PrometheusConfig['profile'];
    selector: string;
  },
): Seen {
  const { before, atMs, selector } = of;
  const names = before?.names ?? new Set<string>();
  if (!Array.isArray(found)) {
    const problem = `selector ${selector}: ${found.refusal}`;
    const discovered = before?.discovered ?? { problem, isAbsent: false };
    return { atMs, names, discovered, isMissing: true };
  }
  for (const name of found) names.add(name);
  const recipes = chooseRecipes(of.profile, names, selector);
  if (Object.keys(recipes).length > 0) return { atMs, names, discovered: { recipes }, isMissing: false };
  const problem = `no metric of a known profile under {${selector}}; set selector, profile or queries`;
  return { atMs, names, discovered: { problem, isAbsent: true }, isMissing: true };
}

/** The recipes of all profiles that are there, or of the one that was named, seen yet or not. */
export function chooseRecipes(
  profile: PrometheusConfig['profile'],
  names: MetricNames,
  selector: string,
): Recipes {
  const chosen = PROFILES.filter(({ name }) => profile === 'auto' || name === profile);
  const found = Object.assign({}, ...chosen.map((one) => one.recipes(names, selector)).reverse()) as Recipes;
  const [named] = chosen;
  if (profile === 'auto' || named === undefined || Object.keys(found).length > 0) return found;
  return named.recipes(new Set(named.usual), selector);
}
