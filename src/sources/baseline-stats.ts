import type { CallRecords } from './call-records.ts';
import type { ServiceName } from './call-statistics-store.ts';
import { type CallStats, mergeStats } from './call-stats.ts';
import type { Question } from './metric-source.ts';
import type { Rollup, Span } from './rollup-store.ts';
import {
  isWithin,
  MINUTE_MS,
  piecesOf,
  roundDown,
  type Stretch,
  stretchOf,
  union,
  wholeMinutesAround,
  without,
} from './stretch.ts';

const FRESH_MS = 10 * 60_000;
const KEPT_MS = 60 * 60_000;

type Time = Pick<Question, 'from' | 'to' | 'excluding'>;
type Piece = Stretch & { span: Span };

/** A baseline's time, cut into what is counted already. */
interface Plan {
  time: Stretch;
  counted: Stretch[];
  pieces: Piece[];
}

interface Kept extends Plan {
  atMs: number;
  version: string;
  stats: CallStats;
}

interface Day {
  usedMs: number;
  version: number;
  stats: CallStats;
}

type Versions = ReadonlyMap<string, number>;

/**
 * What calls are worth over long times. Policy: a baseline is counted in whole minutes, anew after ten minutes, and
 * at once when one of its roll-ups or what it leaves out changed. All that is kept is a cache, whole days by
 * themselves, because the baselines of a service share them.
 */
export class BaselineStats {
  readonly #records: CallRecords;
  readonly #kept = new Map<string, Kept>();
  readonly #days = new Map<string, Day>();

  constructor(records: CallRecords) {
    this.#records = records;
  }

  /** For each time what its calls are worth, in order. */
  async of(service: ServiceName, times: readonly Time[], now: Date): Promise<CallStats[]> {
    const nowMs = now.getTime();
    this.#forget(nowMs);
    const keys = times.map((time) => baselineKey(service, time, nowMs));
    const usable = times.map((time, i) => this.#usable(keys[i] as string, time, nowMs));
    const known = await this.#versions(
      service,
      usable.flatMap((kept) => kept?.pieces ?? []),
    );
    const isSame = (kept: Kept) => kept.version === versionOf(kept.pieces, known);
    const plans = times.map((time, i) => {
      const kept = usable[i];
      return kept !== undefined && isSame(kept) ? kept : planOf(time);
    });
    const fresh = plans.filter((plan) => !('stats' in plan));
    const counted = fresh.length === 0 ? new Map<Plan, Kept>() : await this.#count(service, fresh, nowMs);
    return plans.map((plan, i) => {
      const kept = counted.get(plan) ?? (plan as Kept);
      this.#kept.set(keys[i] as string, kept);
      return kept.stats;
    });
  }

  #usable(key: string, time: Time, nowMs: number): Kept | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined || nowMs < kept.atMs || nowMs - kept.atMs >= FRESH_MS) return undefined;
    const counted = countedOf(kept.time, time);
    return JSON.stringify(counted) === JSON.stringify(kept.counted) ? kept : undefined;
  }

  async #count(service: ServiceName, plans: readonly Plan[], nowMs: number): Promise<Map<Plan, Kept>> {
    const pieces = plans.flatMap((plan) => plan.pieces);
    // Versions first: what changes between the two reads is then counted again at the next look.
    const versions = await this.#versions(service, pieces);
    const isCounted = (piece: Piece) =>
      this.#days.get(keyOf(service, piece))?.version === versionIn(versions, piece);
    const days = pieces.filter((piece) => piece.span === 'hour');
    const hours = await this.#rollups(
      service,
      'hour',
      days.filter((day) => !isCounted(day)),
    );
    const minutes = await this.#rollups(
      service,
      'minute',
      pieces.filter(({ span }) => span === 'minute'),
    );
    for (const day of days) {
      const key = keyOf(service, day);
      const version = versionIn(versions, day);
      const stats = isCounted(day) ? (this.#days.get(key) as Day).stats : worthOf(hours, day);
      this.#days.set(key, { usedMs: nowMs, version, stats });
    }
    const worth = (piece: Piece) =>
      piece.span === 'minute'
        ? worthOf(minutes, piece)
        : (this.#days.get(keyOf(service, piece)) as Day).stats;
    return new Map(
      plans.map((plan) => {
        const stats = mergeStats(plan.pieces.map(worth));
        return [plan, { ...plan, atMs: nowMs, version: versionOf(plan.pieces, versions), stats }];
      }),
    );
  }

  async #versions(service: ServiceName, pieces: readonly Piece[]): Promise<Versions> {
    const distinct = [...new Map(pieces.map((piece) => [pieceKey(piece), piece])).values()];
    if (distinct.length === 0) return new Map();
    const versions = await this.#records.versions({ ...service, stretches: distinct });
    return new Map(distinct.map((piece, i) => [pieceKey(piece), versions[i] ?? 0]));
  }

  async #rollups(service: ServiceName, span: Span, pieces: readonly Piece[]): Promise<Rollup[]> {
    return pieces.length === 0 ? [] : this.#records.rollups({ ...service, span, stretches: union(pieces) });
  }

  #forget(nowMs: number): void {
    for (const [key, { atMs }] of this.#kept) if (Math.abs(nowMs - atMs) > KEPT_MS) this.#kept.delete(key);
    for (const [key, { usedMs }] of this.#days)
      if (Math.abs(nowMs - usedMs) > KEPT_MS) this.#days.delete(key);
  }
}

function planOf(time: Time): Plan {
  const minutes = { from: time.from.getTime(), to: time.to.getTime() };
  const whole = { from: wholeMinutesAround(minutes).from, to: roundDown(minutes.to, MINUTE_MS) };
  const counted = countedOf(whole, time);
  const pieces = piecesOf(counted);
  return {
    time: whole,
    counted,
    pieces: [
      ...pieces.hours.map((piece): Piece => ({ ...piece, span: 'hour' })),
      ...pieces.minutes.map((piece): Piece => ({ ...piece, span: 'minute' })),
    ],
  };
}

/** A minute of which any part is left out is left out. */
function countedOf(time: Stretch, { excluding = [] }: Time): Stretch[] {
  return without(time, excluding.map(stretchOf).map(wholeMinutesAround));
}

function worthOf(rollups: readonly Rollup[], piece: Stretch): CallStats {
  return mergeStats(rollups.filter(({ start }) => isWithin(start, [piece])).map(({ stats }) => stats));
}

/** Baselines of the same shape follow each other in time. */
function baselineKey(service: ServiceName, { from, to }: Time, nowMs: number): string {
  return JSON.stringify([service.environment, service.service, nowMs - from.getTime(), nowMs - to.getTime()]);
}

const pieceKey = ({ span, from, to }: Piece) => `${span}/${from}/${to}`;
const keyOf = ({ service, environment }: ServiceName, piece: Piece) =>
  `${environment}/${service}/${pieceKey(piece)}`;
const versionIn = (versions: Versions, piece: Piece) => versions.get(pieceKey(piece)) ?? 0;
const versionOf = (pieces: readonly Piece[], versions: Versions) =>
  pieces.map((piece) => versionIn(versions, piece)).join();
