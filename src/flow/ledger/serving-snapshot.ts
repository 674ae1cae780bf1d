import type { ServingConfig } from '../../config/serving.ts';
import type { Db } from '../../db/database.ts';
import { messageOf } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { blockedPhrases, type PromptTexts, type Serving } from '../../mitigation/served.ts';
import { initialSettings } from '../../mitigation/serving-change.ts';
import {
  newestServings,
  promptTextsMark,
  readPromptTexts,
  type ServingVersion,
} from '../../mitigation/serving-store.ts';

const POLL_MS = 1_000;
const ANSWER_WITHIN_MS = 5_000;
const UNANSWERED_AT_MOST = 3;

interface Deps {
  /** The environment that the configuration is about. */
  environment: string;
  /** The services that the built-in target serves. */
  services: Readonly<Record<string, ServingConfig>>;
  log: Log;
}

/** What is served, in memory: it answers without the database, and goes on while that is away. */
export interface ServingSnapshot {
  /** Loads everything and keeps it up to date, for changes that other replicas make. Throws when it cannot load. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Takes over a change that was made in this process. */
  put(changed: ServingVersion): void;
  of(service: string, environment: string): Serving | null;
  all(environment: string): Serving[];
  /** Milliseconds since the database last said that it is so. */
  ageMs(): number;
  /** Phrases whose outputs are held back at this moment. */
  blockedFor(service: string, environment: string): readonly string[];
}

/** The settings of every service of the built-in target, as they were when the database last answered. */
export function createServingSnapshot(db: Db, deps: Deps): ServingSnapshot {
  const held = new Map<string, Serving>();
  let texts: PromptTexts = new Map();
  let textsMark = '';
  let readAt = performance.now();

  const put = (changed: ServingVersion) => {
    const known = changed.environment === deps.environment ? held.get(changed.service) : undefined;
    if (known === undefined || changed.version <= known.version) return;
    held.set(changed.service, withVersion(deps, known, changed));
  };

  const refresh = async () => {
    const askedAt = performance.now();
    const mark = await promptTextsMark(db);
    const newTexts = mark === textsMark ? null : await readPromptTexts(db);
    const versions = await newestServings(db);
    if (newTexts !== null) {
      texts = newTexts;
      textsMark = mark;
      for (const [service, serving] of held) held.set(service, { ...serving, texts });
    }
    versions.forEach(put);
    readAt = Math.max(readAt, askedAt);
  };

  for (const [service, config] of Object.entries(deps.services))
    held.set(service, asConfigured(service, deps.environment, config));
  const of = (service: string, environment: string) =>
    environment === deps.environment ? (held.get(service) ?? null) : null;
  const polling = createPolling(refresh, deps.log);
  return {
    async start() {
      await refresh();
      polling.start();
    },
    stop: polling.stop,
    put,
    of,
    all: (environment) => (environment === deps.environment ? [...held.values()] : []),
    ageMs: () => Math.round(performance.now() - readAt),
    blockedFor: (service, environment) => blockedPhrases(of(service, environment)?.settings ?? {}),
  };
}

function asConfigured(service: string, environment: string, config: ServingConfig): Serving {
  const { notice, model } = config.fallback;
  const fallback = { notice, model };
  const settings = initialSettings(config);
  return { service, environment, version: 0, changedAt: null, settings, fallback, texts: new Map() };
}

function withVersion(deps: Deps, known: Serving, changed: ServingVersion): Serving {
  const config = deps.services[known.service];
  const initial = config === undefined ? {} : initialSettings(config);
  const settings = { ...initial, ...changed.overrides };
  return { ...known, version: changed.version, changedAt: changed.changedAt, settings };
}

/** Pauses after each refresh; what is wrong is said when it begins and when it ends. */
function createPolling(refresh: () => Promise<void>, log: Log): { start(): void; stop(): Promise<void> } {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  let isFailing = false;
  let unanswered = 0;
  let running: Promise<void> = Promise.resolve();

  /** A connection that died unseen answers never: another is tried, but no more than a few are left waiting. */
  const refreshInTime = async () => {
    if (unanswered >= UNANSWERED_AT_MOST) throw new Error('earlier queries are still unanswered');
    unanswered += 1;
    const work = refresh().finally(() => {
      unanswered -= 1;
    });
    await inTime(work, ANSWER_WITHIN_MS);
  };
  const poll = async () => {
    try {
      await refreshInTime();
      if (isFailing) log.info('what is served is up to date again');
      isFailing = false;
    } catch (thrown) {
      if (!isFailing && !isStopped)
        log.warn({ problem: messageOf(thrown) }, 'what is served is answered from memory');
      isFailing = true;
    }
    if (!isStopped) next();
  };
  const next = () => {
    timer = setTimeout(() => {
      running = poll();
    }, POLL_MS);
  };
  return {
    start: next,
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}

async function inTime(work: Promise<void>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${limitMs} ms`)), limitMs);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
