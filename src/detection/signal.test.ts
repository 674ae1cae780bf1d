import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RuleVerdict } from './rule.ts';
import { costSpend } from './rules/cost-spend.ts';
import { isEpisode, type NextSignal, nextSignal, type Signal, stillPastBound } from './signal.ts';

const SETTINGS = {
  open_polls: 1,
  open_of_polls: 1,
  for_minutes: 0,
  quiet_minutes: 2,
  cooldown_minutes: 15,
};
const GAUGE = { ...SETTINGS, open_polls: 3, open_of_polls: 5 };
const START_MS = Date.UTC(2026, 0, 1);
const now = (minute: number) => new Date(START_MS + minute * 60_000);

type Said = 'past' | 'bound' | 'sure' | 'band' | 'clear' | 'no-data' | 'insufficient';

/** `bound`: past it at 95 %; `sure`: unmistakable; `band`: between the closing threshold and the threshold. */
function saying(said: Said): RuleVerdict {
  const isPast = said === 'past' || said === 'bound' || said === 'sure';
  const state = isPast ? 'firing' : said === 'band' || said === 'clear' ? 'ok' : said;
  return {
    ...{
      rule: 'outage.errors',
      state,
      value: null,
      baseline: null,
      n: 0,
      baselineN: 0,
      lower: null,
      upper: null,
    },
    threshold: null,
    pastBound: said === 'bound' || said === 'sure',
    unmistakable: said === 'sure',
    isClear: said === 'clear',
    warning: false,
    detail: null,
  };
}

/** One poll a minute. */
function run(said: readonly Said[], settings = SETTINGS, from: Signal | null = null): NextSignal[] {
  let signal = from;
  return said.map((one, minute) => {
    const next = nextSignal(signal, saying(one), { settings, now: now(minute) });
    signal = next;
    return next;
  });
}

const states = (signals: readonly NextSignal[]) => signals.map((signal) => signal.state);

describe('an episode', () => {
  test('opens-once-and-closes-once-after-the-quiet-time', () => {
    const signals = run(['clear', 'past', 'past', 'clear', 'clear', 'clear', 'clear']);
    expect(states(signals)).toEqual(['ok', 'firing', 'firing', 'recovering', 'recovering', 'ok', 'ok']);
    expect(signals.flatMap((one, minute) => (one.opened ? [minute] : []))).toEqual([1]);
    expect(signals.flatMap((one, minute) => (one.cleared ? [minute] : []))).toEqual([5]);
    expect(signals[4]).toMatchObject({ since: now(1), quietSince: now(3), closedAt: null });
    expect(signals[6]).toMatchObject({ since: now(5), closedAt: now(5) });
  });

  test('goes-on-when-it-is-past-again-while-it-recovers', () => {
    const signals = run(['past', 'clear', 'past', 'clear', 'clear', 'clear']);
    expect(states(signals)).toEqual(['firing', 'recovering', 'firing', 'recovering', 'recovering', 'ok']);
    expect(signals.filter((one) => one.opened)).toHaveLength(1);
    expect(signals[2]?.since).toEqual(now(0));
  });

  test('between-the-thresholds-neither-closes-nor-counts-as-quiet', () => {
    const signals = run(['past', 'band', 'clear', 'band', 'clear', 'clear', 'clear']);
    expect(states(signals)).toEqual([
      ...['firing', 'firing', 'recovering', 'recovering', 'recovering', 'recovering', 'ok'],
    ]);
  });

  test('that-opens-soon-after-the-last-is-in-its-cooldown', () => {
    const quiet = Array.from({ length: 15 }, (): Said => 'clear');
    const soon = run(['past', 'clear', 'clear', 'clear', 'past']);
    expect(soon.at(-1)).toMatchObject({ opened: true, inCooldown: true });
    const late = run(['past', 'clear', 'clear', 'clear', ...quiet, 'past']);
    expect(late.at(-1)).toMatchObject({ opened: true, inCooldown: false });
    expect(run(['past'])[0]).toMatchObject({ opened: true, inCooldown: false });
  });
});

describe('opening', () => {
  test('takes-three-of-the-newest-five-polls', () => {
    expect(states(run(['past', 'clear', 'past', 'clear', 'past'], GAUGE))).toEqual([
      ...['pending', 'ok', 'pending', 'ok', 'firing'],
    ]);
    const rare: Said[] = ['past', 'clear', 'clear', 'past', 'clear', 'clear', 'past'];
    expect(run(rare, GAUGE).some((one) => one.opened)).toBe(false);
  });

  test('takes-one-poll-when-it-is-unmistakable', () => {
    expect(run(['sure'], GAUGE)[0]).toMatchObject({ state: 'firing', opened: true });
  });

  test('waits-until-it-has-been-past-for-long-enough', () => {
    const patient = { ...GAUGE, for_minutes: 4 };
    expect(states(run(['sure', 'past', 'past', 'past', 'past'], patient))).toEqual([
      ...['pending', 'pending', 'pending', 'pending', 'firing'],
    ]);
    expect(run(['past', 'past', 'past', 'clear', 'past', 'past'], patient).some((one) => one.opened)).toBe(
      false,
    );
  });

  test('starts-anew-after-a-closing', () => {
    const signals = run(['past', 'past', 'past', 'clear', 'clear', 'clear', 'past', 'past', 'past'], GAUGE);
    expect(signals.flatMap((one, minute) => (one.opened ? [minute] : []))).toEqual([2, 8]);
  });
});

describe('blindness', () => {
  test('never-clears-an-episode-nor-opens-it-twice', () => {
    const signals = run(['bound', 'no-data', 'insufficient', 'bound']);
    expect(states(signals)).toEqual(['firing', 'firing', 'firing', 'firing']);
    expect(signals.filter((one) => one.opened)).toHaveLength(1);
    expect(signals.at(-1)?.pastBoundSince).toEqual(now(0));
  });

  test('leaves-the-last-clear-verdict-standing-and-closes-nothing-by-itself', () => {
    const signals = run(['past', 'clear', 'no-data', 'no-data', 'no-data', 'clear']);
    expect(states(signals)).toEqual([
      ...['firing', 'recovering', 'recovering', 'recovering', 'recovering', 'ok'],
    ]);
  });

  test('ends-in-a-new-episode-when-the-quiet-time-was-over-before-it-is-past-again', () => {
    const signals = run(['past', 'clear', 'no-data', 'no-data', 'no-data', 'past']);
    expect(states(signals).slice(-2)).toEqual(['recovering', 'firing']);
    expect(signals.at(-1)).toMatchObject({ cleared: true, opened: true, since: now(5) });
  });

  test('is-said-of-a-service-that-has-no-episode', () => {
    expect(states(run(['no-data', 'no-data', 'insufficient', 'clear']))).toEqual([
      ...['no-data', 'no-data', 'insufficient', 'ok'],
    ]);
    expect(run(['no-data', 'no-data'])[1]?.since).toEqual(now(0));
  });

  test('does-not-forget-the-polls-before-it-until-it-lasts', () => {
    expect(run(['past', 'past', 'no-data', 'past'], GAUGE).at(-1)?.opened).toBe(true);
    const long: Said[] = ['past', 'past', 'no-data', 'no-data', 'no-data', 'past'];
    expect(run(long, GAUGE).at(-1)).toMatchObject({ state: 'pending', recent: '1', pastSince: now(5) });
  });
});

describe('the time past the bound', () => {
  test('starts-over-when-it-is-not-past', () => {
    const signals = run(['past', 'bound', 'past', 'bound']);
    expect(signals.map((signal) => signal.pastBoundSince)).toEqual([null, now(1), null, now(3)]);
  });

  test('counts-from-the-first-time', () => {
    expect(stillPastBound({ pastBoundSince: now(2) }, now(11), 600_000)).toBe(false);
    expect(stillPastBound({ pastBoundSince: now(2) }, now(12), 600_000)).toBe(true);
    expect(stillPastBound({ pastBoundSince: null }, now(59), 600_000)).toBe(false);
  });
});

test('openings-and-closings-alternate-whatever-is-said', () => {
  const words = fc.constantFrom<Said>('past', 'bound', 'sure', 'band', 'clear', 'no-data', 'insufficient');
  const settings = fc.record({
    open_polls: fc.integer({ min: 1, max: 4 }),
    open_of_polls: fc.integer({ min: 1, max: 6 }),
    for_minutes: fc.integer({ min: 0, max: 4 }),
    quiet_minutes: fc.integer({ min: 0, max: 4 }),
    cooldown_minutes: fc.constant(15),
  });
  fc.assert(
    fc.property(fc.array(words, { maxLength: 80 }), settings, (said, chosen) => {
      const signals = run(said, chosen);
      let isOpen = false;
      let quietFrom: number | null = null;
      signals.forEach((signal, minute) => {
        const word = said[minute];
        if (word === 'clear') quietFrom ??= minute;
        if (signal.cleared) expect(isOpen).toBe(true);
        if (signal.cleared)
          expect(minute - (quietFrom ?? minute + 1)).toBeGreaterThanOrEqual(chosen.quiet_minutes);
        if (signal.opened) expect(isOpen && !signal.cleared).toBe(false);
        if (signal.opened) expect(['past', 'bound', 'sure']).toContain(word);
        if (word !== 'clear' && word !== 'no-data' && word !== 'insufficient') quietFrom = null;
        if (signal.cleared) isOpen = false;
        if (signal.opened) isOpen = true;
        expect(isEpisode(signal)).toBe(isOpen);
        expect(signal.recent.length).toBeLessThanOrEqual(chosen.open_of_polls);
      });
    }),
  );
});

describe('spend against its limit of $50 and $45', () => {
  const minutes = (values: readonly number[]) => {
    let signal: Signal | null = null;
    return values.map((value, minute) => {
      const reading = { n: 100, value, sd: null };
      const verdict = costSpend.judge(
        { fast: reading, slow: reading, offender: null, before: null },
        costSpend.defaults,
      );
      const next = nextSignal(signal, verdict, { settings: costSpend.defaults, now: now(minute) });
      signal = next;
      return next;
    });
  };
  const normal = (random: () => number) =>
    Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

  test('that-hovers-below-it-opens-at-most-three-times-in-thirty-days', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
        const random = randomFrom(seed);
        const values = Array.from({ length: 30 * 24 * 60 }, () => 49 + 2 * normal(random));
        expect(minutes(values).filter((signal) => signal.opened).length).toBeLessThanOrEqual(3);
      }),
      { seed: 1, numRuns: 10 },
    );
  });

  test('that-steps-from-40-to-60-opens-by-the-third-poll', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
        const random = randomFrom(seed);
        const values = Array.from({ length: 120 }, (_, i) => (i < 100 ? 40 : 60) + 2 * normal(random));
        const opened = minutes(values).findIndex((signal) => signal.opened);
        expect(opened).toBeGreaterThanOrEqual(100);
        expect(opened).toBeLessThanOrEqual(102);
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});

/** mulberry32: repeatable numbers, 0 ≤ x < 1. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
