import { randomUUID } from 'node:crypto';
import type { EmittedCall } from '../service/otlp-calls.ts';
import { controlSignature } from '../service/simulated-control.ts';
import { clickables } from '../slack/slack-blocks.ts';
import type { Fields, SlackChannel, SlackMessage } from '../slack/slack-shapes.ts';
import { text } from '../slack/slack-shapes.ts';
import { buttonOf, everythingIn, roomsOf } from '../story/story-room.ts';
import { createTraffic, MINUTE_MS, type Share, shareOf, type Traffic } from '../story/story-traffic.ts';
import { type DemoWorld, ENVIRONMENT, ON_CALL, ROLES, SERVICE, TARGET_SECRET } from '../story/story-world.ts';

/** The demo as somebody drives it, from the console or from the page. */
export interface Live {
  readonly world: DemoWorld;
  readonly traffic: Traffic;
  /** How each of the last minutes went, the newest last. */
  readonly minutes: Share[];
  readonly latest: EmittedCall | undefined;
  /** Lets a minute of the simulated clock pass. */
  minute(): Promise<void>;
  /** What the simulated clock showed when Slack, whose clock is real, stamped a message so. */
  timeOf(ts: string): Date;
  /** Changes whenever something in the workspace may have. */
  revision(): string;
  /** Says that a person did something, which the workspace itself does not count. */
  touch(): void;
  breakModel(): Promise<string>;
  breakPrompt(): string;
  /** Somebody puts it right by hand at the service, past the bot. */
  heal(): Promise<string>;
}

const SHOWN_MINUTES = 60;
const REAL_MINUTE_MS = 1_000;
const ALIAS = 'gpt-4';
const SERVED_BY_BOT =
  'Here the bot serves prompt and model: nobody changes them past it. `mitigate …` in a room does.';
const GOOD = { model: 'gpt-4-0314', prompt: 'v13' };

export function createLive(world: DemoWorld): Live {
  const traffic = createTraffic(world);
  const minutes: Share[] = [];
  let latest: EmittedCall | undefined;
  let touched = 0;
  const clocks = compareClocks(world);
  const { slack, service } = world;
  return {
    world,
    traffic,
    minutes,
    get latest() {
      return latest;
    },
    timeOf: clocks.timeOf,
    minute: async () => {
      // The real second that goes by is part of the simulated minute.
      const calls = await traffic.minute({ advanceMs: MINUTE_MS - REAL_MINUTE_MS });
      minutes.push(shareOf(calls));
      clocks.compare();
      if (minutes.length > SHOWN_MINUTES) minutes.shift();
      latest = calls.at(-1) ?? latest;
    },
    revision: () =>
      [slack.calls.length, slack.sent.length, slack.ephemerals().length, slack.views().length, touched].join(
        '.',
      ),
    touch: () => {
      touched += 1;
    },
    breakModel: async () => {
      const isPinned = service.state().requestedModel !== ALIAS;
      if (isPinned && !world.isBuiltIn) await control(world, { action: 'model', to: ALIAS });
      service.silentModelChange();
      const { model } = service.state();
      return `The provider moved "${ALIAS}" to ${model} and told nobody. The rule needs some ten simulated minutes to be sure.`;
    },
    breakPrompt: () => {
      if (world.isBuiltIn) return SERVED_BY_BOT;
      service.promptRegression();
      const { prompt } = service.state();
      return `Somebody shortened the prompt to save tokens and shipped it as ${prompt}. The rule needs some ten simulated minutes to be sure.`;
    },
    heal: () => heal(world),
  };
}

async function heal(world: DemoWorld): Promise<string> {
  if (world.isBuiltIn) return SERVED_BY_BOT;
  await control(world, { action: 'enable', to: true });
  await control(world, { action: 'prompt', to: GOOD.prompt });
  await control(world, { action: 'model', to: GOOD.model });
  return `Put right by hand at the service: prompt ${GOOD.prompt}, model ${GOOD.model}, enabled.`;
}

/** Remembers what the simulated clock was ahead of the real one, minute by minute. */
function compareClocks(world: DemoWorld): { compare(): void; timeOf(ts: string): Date } {
  const compared: { at: number; aheadMs: number }[] = [];
  const compare = () => {
    const now = Date.now();
    compared.push({ at: now, aheadMs: world.time().getTime() - now });
  };
  compare();
  return {
    compare,
    timeOf: (ts) => {
      const real = Number(ts) * 1_000;
      const known = compared.findLast(({ at }) => at <= real) ?? compared[0];
      return new Date(real + (known?.aheadMs ?? 0));
    },
  };
}

async function control(world: DemoWorld, change: { action: string; to: string | boolean }): Promise<void> {
  const body = JSON.stringify({ service: SERVICE, environment: ENVIRONMENT, ...change });
  const answer = await fetch(world.service.controlUrl, {
    method: 'POST',
    headers: { 'idempotency-key': `by-hand-${randomUUID()}`, ...controlSignature(TARGET_SECRET, body) },
    body,
  });
  if (!answer.ok) throw new Error(`the service refused: ${await answer.text()}`);
}

/** The on-call engineer answers their phone: one incident of PagerDuty, or the first that is open. PagerDuty tells the bot. */
export function answerPhone(
  { world }: Pick<Live, 'world'>,
  how: 'acknowledge' | 'resolve',
  id?: string,
): string {
  const open = world.pagerduty.open();
  const fits = how === 'acknowledge' ? open.filter(({ status }) => status === 'triggered') : open;
  const one = fits.find((incident) => id === undefined || incident.id === id);
  if (one === undefined) throw new Error(`There is nothing to ${how} at PagerDuty.`);
  world.pagerduty.as(ON_CALL.id)[how](one.id);
  return `The on-call engineer has ${how}d PagerDuty ${one.id} on their phone. The card follows.`;
}

export async function newestRoom({ world }: Pick<Live, 'world'>): Promise<SlackChannel> {
  const room = (await roomsOf(world.slack)).at(-1);
  if (room === undefined) throw new Error('There is no incident room yet: break something first.');
  return room;
}

/** What a person typed, as Slack's own client hands it on: entities for &, < and >, ids for names. */
export function typed({ slack }: DemoWorld, words: string): string {
  const escaped = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return escaped.replace(/(?<![\w.])@(\w+)/g, (whole, name: string) =>
    ROLES.includes(name) ? `<@${slack.userId(name)}>` : whole,
  );
}

/** The newest message in the channel that shows such a button. */
export async function findButton(
  { world }: Pick<Live, 'world'>,
  channel: string,
  actionId: string,
): Promise<{ message: SlackMessage; actionId: string }> {
  const messages = await everythingIn(world.slack, channel);
  for (const message of messages.toReversed()) {
    const button = buttonOf(message, actionId) ?? labelled(message, actionId);
    if (button !== undefined) return { message, actionId: text(button['action_id']) };
  }
  const all = messages
    .flatMap((message) => clickables(message.blocks ?? []))
    .map(({ element }) => text(element['action_id']));
  throw new Error(
    `Nothing here can be clicked as "${actionId}". There is: ${[...new Set(all)].join(', ') || 'no button'}.`,
  );
}

function labelled(message: SlackMessage, label: string): Fields | undefined {
  const wanted = label.toLowerCase();
  return clickables(message.blocks ?? []).find(({ element }) =>
    text((element['text'] as Fields | undefined)?.['text'])
      .toLowerCase()
      .startsWith(wanted),
  )?.element;
}
