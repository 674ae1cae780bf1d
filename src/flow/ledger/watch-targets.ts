import { noteTroubles, type Trouble } from '../../db/trouble-store.ts';
import { ExternalError, messageOf } from '../../errors.ts';
import type { ComponentState } from '../../evidence/ledger.ts';
import { appendChanges, type LedgerRow, lockLedger, newestOf } from '../../evidence/ledger-store.ts';
import { changesRead, type ReadChange } from '../../evidence/target-reading.ts';
import { type CarriedOut, carriedOutSince } from '../../mitigation/applied-store.ts';
import { mitigationsOn } from '../../mitigation/lease-store.ts';
import { componentOf, componentsIn, restingState, settingOf } from '../../mitigation/ledger-component.ts';
import { parsePlan } from '../../mitigation/plan.ts';
import type { Setting, TargetState, Value } from '../../mitigation/serving.ts';
import type { Target, TargetChange } from '../../mitigation/target.ts';
import type { Flow } from '../flow.ts';
import { reportTroubles } from '../watch/report-troubles.ts';
import { authorOf } from './change-author.ts';
import { tellUndone } from './undone-elsewhere.ts';

type Watching = Pick<Flow, 'db' | 'clock' | 'config' | 'log' | 'targetFor'>;

/** One service's target, as the ledger names it. */
interface Watched {
  service: string;
  environment: string;
  /** The target's type. */
  source: string;
  target: Target;
}

interface Pause {
  untilMs: number;
  failures: number;
  problem: string | null;
}

const LONGEST_PAUSE_MS = 15 * 60_000;
/** What was changed longer ago than this was read then. */
const OWN_LOOK_BACK_MS = 7 * 24 * 3_600_000;

/**
 * Reads what every target serves, every `watch_targets_seconds`, and keeps in the ledger what changed. Policy: a target
 * that fails is told once and asked again after a wait that doubles up to a quarter of an hour; none holds up the others.
 */
export function createTargetWatch(flow: Watching): { look(): Promise<void> } {
  const pauses = new Map<string, Pause>();
  const everyMs = flow.config.watch_targets_seconds * 1_000;

  const lookAt = async (watched: Watched, now: Date): Promise<Trouble[]> => {
    const key = `target:${watched.environment}/${watched.service}`;
    const pause = pauses.get(key);
    if (pause !== undefined && now.getTime() < pause.untilMs) return standing(key, pause);
    const next = await outcomeOf(flow, watched, { now, everyMs, failures: pause?.failures ?? 0 });
    pauses.set(key, next);
    return standing(key, next);
  };

  return {
    async look() {
      const now = flow.clock.now();
      const looks = await Promise.all(watchedTargets(flow).map((watched) => lookAt(watched, now)));
      const troubles = looks.flat();
      if (troubles.length === 0) return;
      await flow.db.transaction().execute(async (tx) => {
        await reportTroubles(flow, tx, { fresh: await noteTroubles(tx, troubles, now), over: [], now });
      });
    },
  };
}

/** Said again at every tick while it lasts, for a trouble that is not said any more is over. */
function standing(key: string, { problem }: Pause): Trouble[] {
  return problem === null ? [] : [{ key, problem }];
}

function watchedTargets(flow: Watching): Watched[] {
  const { environment, services } = flow.config;
  return Object.entries(services).flatMap(([service, { target: config }]) => {
    const target = flow.targetFor({ service, environment });
    return config === undefined || target === null
      ? []
      : [{ service, environment, source: config.type, target }];
  });
}

async function outcomeOf(
  flow: Watching,
  watched: Watched,
  { now, everyMs, failures }: { now: Date; everyMs: number; failures: number },
): Promise<Pause> {
  try {
    await readTarget(flow, watched, now);
    return { untilMs: now.getTime() + everyMs, failures: 0, problem: null };
  } catch (thrown) {
    const doubled = Math.min(LONGEST_PAUSE_MS, everyMs * 2 ** failures);
    const said = thrown instanceof ExternalError ? (thrown.retryAfterMs ?? 0) : 0;
    const untilMs = now.getTime() + Math.max(doubled, said);
    const { service, target } = watched;
    const problem = `the target ${target.describe()} of ${service} could not be read: ${messageOf(thrown)}`;
    return { untilMs, failures: failures + 1, problem };
  }
}

/** Reads one target and appends what changed, with who and when where its own record or ours says. */
async function readTarget(flow: Watching, watched: Watched, now: Date): Promise<void> {
  const { target, ...of } = watched;
  const own = await carriedOutSince(flow.db, { ...of, since: new Date(now.getTime() - OWN_LOOK_BACK_MS) });
  const before = await newestOf(flow.db, of);
  const held = await mitigationsOn(flow.db, { service: of.service, environment: of.environment });
  const state = await target.read(
    settingsToAsk(before, [...own, ...held.map(({ plan }) => parsePlan(plan))]),
  );
  await tellUndone(flow, { held, state, now });
  const reading = { state, read: componentsIn(state), isWhole: LISTS_ALL.has(of.source) };
  const changed = changesIn(before, reading);
  if (changed.length === 0) return;
  const record = before.size === 0 ? [] : await recordOf(flow, watched, { before, changed });
  await flow.db.transaction().execute(async (tx) => {
    await lockLedger(tx);
    const known = await newestOf(tx, of);
    const rows = changesIn(known, reading).map((change) => {
      const author = authorOf({
        change: settled(change, state),
        last: known.get(change.component),
        own,
        record,
        now,
      });
      return { ...of, ...change, ...author, recordedAt: now };
    });
    await appendChanges(tx, rows);
  });
}

/** These name whatever is not at rest; a vendor is asked by name and leaves out what it cannot tell. */
const LISTS_ALL = new Set(['built-in', 'webhook']);

interface Reading {
  read: ReadonlyMap<string, ComponentState>;
  isWhole: boolean;
}

function changesIn(known: ReadonlyMap<string, LedgerRow>, { read, isWhole }: Reading): ReadChange[] {
  return changesRead({
    known,
    read,
    restingState: (component, which) =>
      which === 'before' || isWhole ? restingState(component, { isWhole }) : null,
  });
}

/** Beside what it always says: what the ledger knows of it, and what a mitigation has limited there. */
function settingsToAsk(
  known: ReadonlyMap<string, LedgerRow>,
  own: readonly Pick<CarriedOut, 'steps'>[],
): Setting[] {
  const recorded = [...known.keys()].flatMap((component) => settingOf(component) ?? []);
  return [...new Set([...recorded, ...own.flatMap(({ steps }) => steps.map(({ setting }) => setting))])];
}

/** The change with the target's own name and value for it, where it says them. */
function settled(
  change: ReadChange,
  state: TargetState,
): ReadChange & { setting: Setting | null; value: Value } {
  const setting = Object.keys(state).find((one) => componentOf(one) === change.component) ?? null;
  return { ...change, setting, value: setting === null ? null : (state[setting] ?? null) };
}

/** A record that cannot be read costs the author, not the change. */
async function recordOf(
  flow: Watching,
  { target, service }: Watched,
  { before, changed }: { before: ReadonlyMap<string, LedgerRow>; changed: readonly ReadChange[] },
): Promise<TargetChange[]> {
  if (target.changes === undefined) return [];
  const times = changed.flatMap(({ component }) => before.get(component)?.at.getTime() ?? []);
  const since = new Date(Math.min(...times, flow.clock.now().getTime()) - CLOCKS_APART_MS);
  try {
    return await target.changes(since);
  } catch (thrown) {
    flow.log.warn({ service, error: messageOf(thrown) }, 'who changed a target could not be asked');
    return [];
  }
}

/** How far a vendor's clock may be off. */
const CLOCKS_APART_MS = 5 * 60_000;
