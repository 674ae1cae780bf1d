import { endTroubles, noteTroubles, type Trouble } from '../../db/trouble-store.ts';
import { recordEvaluations } from '../../detection/evaluation-store.ts';
import { estimateOnset } from '../../detection/onset.ts';
import { allRules } from '../../detection/rules.ts';
import { watchedRulesOf } from '../../detection/settings.ts';
import { type NextSignal, nextSignal } from '../../detection/signal.ts';
import {
  linkSignal,
  lockSignal,
  type StoredSignal,
  saveSignals,
  signalsOf,
} from '../../detection/signal-store.ts';
import { BASELINE_MS } from '../../detection/watched-rule.ts';
import { messageOf } from '../../errors.ts';
import { rowsOf } from '../../evidence/ledger-store.ts';
import { effectiveRows } from '../../evidence/what-changed.ts';
import { allTroubledTimes } from '../../incident/incident-store.ts';
import { activeServices, type ServiceName } from '../../sources/call-statistics-store.ts';
import { isUsuallyCalled, minutesOf } from '../../sources/minute-store.ts';
import type { Flow } from '../flow.ts';
import { bringLedgerUp } from '../ledger/bring-ledger-up.ts';
import { actOnSignal, keyOf, type Moved, tellWarning } from './act-on-signal.ts';
import { blindSpots, silenceOf } from './blind-spots.ts';
import { type Evaluated, evaluateRules } from './evaluate-rules.ts';
import { reportTroubles } from './report-troubles.ts';

const ONSET_LOOK_BACK_MS = [24 * 3_600_000, BASELINE_MS];
/** A trouble that was not seen for so many ticks is over. */
const TROUBLE_TICKS = 3;

type Ruled = Pick<
  Flow,
  'db' | 'clock' | 'config' | 'pager' | 'log' | 'automation' | 'targetFor' | 'metricSourceFor'
>;

/** One tick: every rule over every service that is configured or was called lately. What fails does not stop the rest. */
export async function checkRules(flow: Ruled): Promise<void> {
  const now = flow.clock.now();
  const services = await servicesOf(flow, now);
  const troubles = await bringLedgersUp(flow, services, now);
  const troubled = await allTroubledTimes(flow.db, { since: before(now, BASELINE_MS), now });
  const byService = Map.groupBy(troubled, nameOf);
  const checked = await evaluateRules(
    services.flatMap((service) => watchedRulesOf(flow.config, allRules, service)),
    {
      now,
      troubledTimes: (service) => byService.get(nameOf(service)) ?? [],
      sourceFor: (question) => flow.metricSourceFor(question),
    },
  );
  troubles.push(...checked.troubles);
  troubles.push(...(await moveSignals(flow, checked.evaluated, now)));
  await settleTroubles(flow, troubles, now);
}

/** Services that were called in the last 7 days, and those of the configuration. */
async function servicesOf(flow: Ruled, now: Date): Promise<ServiceName[]> {
  const active = await activeServices(flow.db, { since: before(now, BASELINE_MS) });
  const known = new Set(active.map(nameOf));
  const { environment, services } = flow.config;
  const configured = Object.keys(services).map((service) => ({ service, environment }));
  return [...active, ...configured.filter((service) => !known.has(nameOf(service)))];
}

async function bringLedgersUp(flow: Ruled, services: readonly ServiceName[], now: Date): Promise<Trouble[]> {
  const troubles: Trouble[] = [];
  for (const service of services) {
    try {
      await bringLedgerUp(flow, service, now);
    } catch (thrown) {
      const problem = `the ledger of ${service.service} could not be brought up to date: ${messageOf(thrown)}`;
      troubles.push({ key: `ledger:${nameOf(service)}`, problem });
    }
  }
  return troubles;
}

interface Step extends Evaluated {
  known: StoredSignal | null;
  signal: NextSignal;
}

/**
 * Stores every evaluation, and moves the signals on. Most only say the same again and are saved together; one that
 * opens, clears or fires is saved with what follows from it, in a transaction of its own.
 */
async function moveSignals(flow: Ruled, evaluated: readonly Evaluated[], now: Date): Promise<Trouble[]> {
  const known = new Map((await signalsOf(flow.db)).map((signal) => [signalName(signal), signal]));
  const steps = evaluated.flatMap((one): Step[] => {
    const { watched, verdict } = one;
    const previous = known.get(signalName(keyOf({ watched }))) ?? null;
    if (previous === null && isNothingYet(one)) return [];
    const signal = nextSignal(previous, verdict, { settings: watched.settings, now });
    return [{ ...one, known: previous, signal }];
  });
  const quiet = steps.filter(({ signal }) => !isNotable(signal));
  const ids = await flow.db.transaction().execute(async (tx) => {
    const recorded = await recordEvaluations(
      tx,
      steps.map(({ watched, verdict, source }) => ({ ...watched, at: now, source, verdict })),
    );
    const idOf = new Map(steps.map((step, i) => [step, recorded[i] ?? 0]));
    const moved = quiet.filter((step) => hasMoved(step));
    await saveSignals(
      tx,
      moved.map((step) => ({
        ...keyOf(step),
        signal: step.signal,
        evaluationId: idOf.get(step) ?? 0,
      })),
    );
    return idOf;
  });
  const troubles: Trouble[] = [];
  for (const step of steps.filter(({ signal }) => isNotable(signal))) {
    try {
      await follow(flow, step, { now, evaluationId: ids.get(step) ?? 0 });
    } catch (thrown) {
      const key = `signal:${signalName(keyOf(step))}`;
      troubles.push({
        key,
        problem: `what ${step.watched.rule.id} found could not be acted on: ${messageOf(thrown)}`,
      });
    }
  }
  return [...troubles, ...(await untold(flow, blindSpots(steps, now), { steps, now }))];
}

/** Policy: a service that is silent at this hour every day is asleep; one that was called yesterday at this hour is not. */
async function untold(
  flow: Ruled,
  spots: readonly Trouble[],
  { steps, now }: { steps: readonly Step[]; now: Date },
): Promise<Trouble[]> {
  const services = new Map(steps.map(({ watched }) => [silenceOf(nameOf(watched)), watched]));
  const told: Trouble[] = [];
  for (const spot of spots) {
    const service = services.get(spot.key);
    if (service === undefined || (await isUsuallyCalled(flow.db, service, now))) told.push(spot);
  }
  return told;
}

/** Nothing was ever seen of it: that is no data, which is neither stored nor called ok. */
const isNothingYet = ({ watched, verdict }: Evaluated) =>
  verdict.state === 'no-data' || (watched.rule.unit === 'events' && verdict.state === 'ok');

const isNotable = (signal: NextSignal) => signal.opened || signal.cleared || signal.state === 'firing';

function hasMoved({ known, signal }: Step): boolean {
  return (
    known === null ||
    known.state !== signal.state ||
    known.recent !== signal.recent ||
    time(known.pastBoundSince) !== time(signal.pastBoundSince) ||
    time(known.pastSince) !== time(signal.pastSince) ||
    time(known.quietSince) !== time(signal.quietSince)
  );
}

const time = (at: Date | null) => at?.getTime() ?? null;

async function follow(
  flow: Ruled,
  step: Step,
  { now, evaluationId }: { now: Date; evaluationId: number },
): Promise<void> {
  const { watched, verdict, signal } = step;
  const isWarning = watched.rule.warning;
  const onset = signal.opened && !isWarning ? await onsetFor(flow, step, now) : null;
  const incidentId = step.known?.incidentId ?? null;
  const moved: Moved = { watched, verdict, signal, onset, incidentId, now };
  await flow.db.transaction().execute(async (tx) => {
    const locked = await lockSignal(tx, keyOf(step));
    if (isMovedByAnother(step.known, locked)) return;
    await saveSignals(tx, [{ ...keyOf(step), signal, evaluationId }]);
    if (signal.opened) await linkSignal(tx, { ...keyOf(step), incidentId: null });
    await (isWarning ? tellWarning(tx, moved) : actOnSignal(flow, tx, moved));
  });
}

/** Another replica was first: what it found stands. */
function isMovedByAnother(seen: StoredSignal | null, locked: StoredSignal | null): boolean {
  return seen?.state !== locked?.state || time(seen?.since ?? null) !== time(locked?.since ?? null);
}

/** When it began, by the change-point of the minutes and the ledger. */
async function onsetFor(flow: Ruled, { watched, verdict }: Step, now: Date): Promise<Date | null> {
  const { service, environment } = watched;
  for (const lookBackMs of ONSET_LOOK_BACK_MS) {
    const window = { service, environment, from: before(now, lookBackMs), to: now };
    const minutes = await minutesOf(flow.db, { ...window, rule: verdict.rule });
    if (minutes === null) return null;
    const changes = effectiveRows(await rowsOf(flow.db, { ...window, since: window.from, until: now }));
    const onset = estimateOnset(
      minutes,
      changes.map((change) => change.at),
    );
    if (onset !== null) return onset.at;
  }
  return null;
}

async function settleTroubles(flow: Ruled, troubles: readonly Trouble[], now: Date): Promise<void> {
  const unseenSince = before(now, TROUBLE_TICKS * flow.config.poll_seconds * 1000);
  await flow.db.transaction().execute(async (tx) => {
    const fresh = await noteTroubles(tx, troubles, now);
    const over = await endTroubles(tx, { unseenSince });
    await reportTroubles(flow, tx, { fresh, over, now });
  });
}

const nameOf = ({ service, environment }: { service: string; environment: string }) =>
  `${environment}/${service}`;
const signalName = (key: { service: string; environment: string; rule: string; warning: boolean }) =>
  `${nameOf(key)}/${key.rule}/${key.warning}`;
const before = (now: Date, ms: number) => new Date(now.getTime() - ms);
