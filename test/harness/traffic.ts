import type { World } from './bot.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A day of sound calls, enough for every rule's baseline. */
export async function sendBaseline(world: World, calls = 1_200, service = world.service): Promise<void> {
  const now = await world.now();
  await service.emit({ from: new Date(now.getTime() - 24 * HOUR_MS), to: now, calls });
  await world.advance(0);
}

/** Lets minutes pass, with calls in each. */
export async function sendMinutes(
  world: World,
  { minutes, callsPerMinute }: { minutes: number; callsPerMinute: number },
): Promise<void> {
  for (let minute = 0; minute < minutes; minute += 1) {
    const to = await world.advance(MINUTE_MS);
    await world.service.emit({ from: new Date(to.getTime() - MINUTE_MS), to, calls: callsPerMinute });
  }
  await world.advance(0);
}
