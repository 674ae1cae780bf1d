import { afterAll, beforeAll, describe, it } from 'vitest';
import type { EmitSpan } from '../../src/demo/service/simulated-calls.ts';
import type { World, WorldOptions } from './bot.ts';
import { type Screens, screensOf } from './story-screens.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;
/** Later than the told time by no more than this is still that time: a slow machine loses seconds, not hours. */
const LATE_MS = 30 * MINUTE_MS;
/** What is further away is waited for in one stride, without traffic. */
const STRIDE_MS = 60 * MINUTE_MS;

/** One incident, told in the order in which it happens and seen only from outside. */
export interface Story extends Screens {
  world(): World;
  /** A step at its time of day (UTC). Minutes pass on the way there, with traffic; after a step that failed none is told. */
  at(time: string, what: string, run: () => Promise<void>): void;
}

/** What a story begins with. */
export interface Setting {
  /** Time of day (UTC) of the first step. */
  from: string;
  world(): Promise<World>;
  /** Questions that the service is asked in a minute. */
  perMinute(): number;
  traffic(world: World, span: EmitSpan): Promise<unknown>;
  /** Closes what the world does not know of. */
  end?(): Promise<void>;
}

/** One `describe` whose tests are the steps of the story, in order. */
export function tellStory(name: string, setting: Setting, tell: (story: Story) => void): void {
  describe(name, { timeout: 60_000 }, () => {
    let begun: World | undefined;
    let askedUntil = new Date(0);
    let isBroken = false;
    const world = (): World => {
      if (begun === undefined) throw new Error('the story has not begun');
      return begun;
    };
    // Up to whole minutes of the clock, so that a slow machine sees the same calls; nobody asks while people act, because
    // what is asked before a change must not be answered by what it changed.
    const traffic = async (before: Date, now: Date) => {
      const to = new Date(Math.floor(now.getTime() / MINUTE_MS) * MINUTE_MS);
      const from = new Date(Math.max(askedUntil.getTime(), before.getTime(), to.getTime() - MINUTE_MS));
      if (to <= from) return;
      askedUntil = to;
      const share = (to.getTime() - from.getTime()) / MINUTE_MS;
      await setting.traffic(world(), { from, to, calls: Math.ceil(setting.perMinute() * share) });
    };
    beforeAll(async () => {
      begun = await setting.world();
      await begun.advance(untilTime(await begun.now(), setting.from, { lateMs: 0 }));
    });
    afterAll(async () => {
      await begun?.close();
      await setting.end?.();
    });
    tell({
      world,
      at: (time, what, run) =>
        it(`${time} ${what}`, async ({ skip }) => {
          skip(isBroken, 'a step before it failed');
          isBroken = true;
          await passUntil(world(), time, traffic);
          await run();
          isBroken = false;
        }),
      ...screensOf(world),
    });
  });
}

/** Minutes pass one by one, as they do for the bot, each with its calls. */
async function passUntil(
  world: World,
  time: string,
  traffic: (before: Date, now: Date) => Promise<void>,
): Promise<void> {
  let before = await world.now();
  let left = untilTime(before, time);
  if (left > STRIDE_MS) {
    await world.advance(left);
    return;
  }
  while (left > 0) {
    const now = await world.advance(Math.min(left, MINUTE_MS));
    await traffic(before, now);
    before = now;
    await world.slack.idle({ quietMs: 40 });
    left = untilTime(now, time);
  }
  await world.advance(0);
}

function untilTime(now: Date, time: string, { lateMs } = { lateMs: LATE_MS }): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  const due = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate(), hours, minutes);
  const left = (((due - now.getTime()) % DAY_MS) + DAY_MS) % DAY_MS;
  return left > DAY_MS - lateMs ? 0 : left;
}

/** A PagerDuty account in which all of them can be called and the first is on call. */
export function accountOf(onCall: string, others: readonly string[]): WorldOptions {
  const user = pagerDutyUser(onCall);
  const oncalls = [{ escalationPolicyId: 'PPOL1', level: 1, user }];
  return { account: { users: others.map(pagerDutyUser), oncalls } };
}

/** In PagerDuty people have ids of their own, and the e-mail address that they have in Slack. */
const pagerDutyUser = (who: string) => ({
  id: `PD${who.toUpperCase()}`,
  name: who,
  email: `${who}@example.test`,
});
