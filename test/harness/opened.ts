import type { World } from './bot.ts';
import { ask, roomWith } from './people.ts';

/** Numbers of the live incidents about a service, in any environment. */
export async function openedAbout(world: World, service: string): Promise<number[]> {
  const lines = (await ask(world, 'oncall', 'list')).split('\n');
  return lines
    .filter((line) => line.includes(` · ${service} · `))
    .map((line) => Number(/INC-(\d+)/.exec(line)?.[1]));
}

/** The room of the incident, once its card is in it. */
export function roomOfIncident(world: World, id: number): Promise<string> {
  return roomWith(world, `card:${id}`);
}
