import { messageOf } from '../../errors.ts';
import type { Ephemeral, SlackMessage } from '../slack/slack-shapes.ts';
import type { Teller } from './story-print.ts';
import { plainText } from './story-text.ts';
import type { Traffic } from './story-traffic.ts';
import type { DemoWorld } from './story-world.ts';

/** What every part of the story works with. */
export interface Scene {
  world: DemoWorld;
  traffic: Traffic;
  tell: Teller;
  /** Runs one stage; throws StageMissing, naming it, when it fails or takes too long. */
  stage<T>(name: string, what: string, run: () => Promise<T>): Promise<T>;
  /** The stages that happened so far. */
  readonly happened: string[];
}

/** A stage that did not happen, and why. */
export class StageMissing extends Error {
  readonly stage: string;
  constructor(stage: string, reason: string) {
    super(reason);
    this.stage = stage;
  }
}

const STAGE_MS = 60_000;

export function createScene(parts: Pick<Scene, 'world' | 'traffic' | 'tell'>): Scene {
  const happened: string[] = [];
  return {
    ...parts,
    happened,
    stage: async (name, what, run) => {
      try {
        const result = await within(STAGE_MS, run());
        if (!happened.includes(name)) happened.push(name);
        return result;
      } catch (thrown) {
        if (thrown instanceof StageMissing) throw thrown;
        throw new StageMissing(name, `${what}: ${messageOf(thrown)}`);
      }
    },
  };
}

async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`this did not happen within ${limitMs / 1000} s`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Throws unless it is so. */
export function expectThat(isSo: boolean, otherwise: string): void {
  if (!isSo) throw new Error(otherwise);
}

/** Lets minutes pass, with traffic in each, until the probe finds something. */
export async function minutesUntil<T>(
  { traffic }: Pick<Scene, 'traffic'>,
  wait: { atMost: number; what: string },
  probe: (minute: number) => Promise<T | undefined> | T | undefined,
): Promise<T> {
  for (let minute = 1; minute <= wait.atMost; minute += 1) {
    await traffic.minute();
    const found = await probe(minute);
    if (found !== undefined) return found;
  }
  throw new Error(`waited ${wait.atMost} simulated minutes in vain for ${wait.what}`);
}

/** Clicks as that person, checks that the bot took it, and returns what only they were told. */
export async function clickAs(
  { world }: Pick<Scene, 'world'>,
  role: string,
  click: { message: SlackMessage; actionId: string },
): Promise<string> {
  return privately(world, role, () => world.slack.as(role).click(click.message, click.actionId));
}

/** Types a slash command in that room and returns the answer that only they saw. */
export async function commandAs(
  { world }: Pick<Scene, 'world'>,
  role: string,
  typed: { text: string; channel: string },
): Promise<string> {
  return privately(world, role, () => world.slack.as(role).command(typed.text, { channel: typed.channel }));
}

async function privately(
  world: DemoWorld,
  role: string,
  act: () => Promise<{ status: number; text: string }>,
): Promise<string> {
  const seen = new Set<Ephemeral>(world.slack.ephemerals(world.slack.userId(role)));
  const answer = await act();
  expectThat(
    answer.status === 200,
    `the bot answered ${answer.status} to ${role}: ${answer.text.slice(0, 200)}`,
  );
  await world.slack.idle({ quietMs: 60, timeoutMs: 15_000 });
  const fresh = world.slack.ephemerals(world.slack.userId(role)).filter((one) => !seen.has(one));
  return fresh.map((one) => plainText(one.text, world.nameOf)).join(' ');
}
