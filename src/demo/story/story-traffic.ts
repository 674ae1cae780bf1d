import type { EmittedCall } from '../service/otlp-calls.ts';
import type { DemoWorld } from './story-world.ts';

/** People asking the feature things, minute after minute. */
export interface Traffic {
  /** Calls of the last day, backdated, so that every rule has its baseline. */
  day(calls: number): Promise<Share>;
  /** Moves the clock on and answers what was asked meanwhile. */
  minute(pace?: { advanceMs: number }): Promise<EmittedCall[]>;
  /** How well the calls of the last half hour were answered. */
  halfHour(): Share;
  readonly calls: number;
}

/** Of `n` answers, which share was right and which kept its format. */
export interface Share {
  n: number;
  right: number;
  wellFormed: number;
}

export const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const CALLS_A_MINUTE = 20;

export function createTraffic(world: DemoWorld): Traffic {
  let recent: EmittedCall[] = [];
  let until = world.time();
  let total = 0;
  const note = (calls: EmittedCall[]) => {
    total += calls.length;
    const since = until.getTime() - HOUR_MS / 2;
    recent = [...recent, ...calls].filter((call) => call.endedAt.getTime() >= since);
    return calls;
  };
  return {
    get calls() {
      return total;
    },
    day: async (calls) => {
      until = await world.advance(0);
      const sent = note(
        await world.service.emit({ from: new Date(until.getTime() - 24 * HOUR_MS), to: until, calls }),
      );
      await world.advance(0);
      return shareOf(sent);
    },
    minute: async ({ advanceMs } = { advanceMs: MINUTE_MS }) => {
      const from = until;
      until = await world.advance(advanceMs);
      const sent = note(await world.service.emit({ from, to: until, calls: CALLS_A_MINUTE }));
      await world.slack.idle({ quietMs: 60, timeoutMs: 20_000 });
      return sent;
    },
    halfHour: () => shareOf(recent),
  };
}

export function shareOf(calls: readonly EmittedCall[]): Share {
  const mean = (name: string) => {
    const scores = calls.flatMap((call) => call.evaluations ?? []).filter((one) => one.name === name);
    return scores.reduce((sum, one) => sum + (one.score ?? 0), 0) / Math.max(1, scores.length);
  };
  return { n: calls.length, right: mean('quality'), wellFormed: mean('format') };
}

export const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
