import { setTimeout as sleep } from 'node:timers/promises';
import { createActivity } from './slack-activity.ts';
import { findClickable } from './slack-blocks.ts';
import { createPerson, type SlackPerson } from './slack-driver.ts';
import { createEventSender, type Delivery } from './slack-events.ts';
import { createFaults, type SlackFault } from './slack-faults.ts';
import { createLimiter } from './slack-limits.ts';
import { type BotAnswer, createBotLine, type SentRequest, type SignedPost } from './slack-line.ts';
import { createObserver, type SlackObserver } from './slack-observer.ts';
import { createResponseUrls } from './slack-response-urls.ts';
import type { SlackCore } from './slack-rooms.ts';
import { readManifest } from './slack-scopes.ts';
import { createScreens } from './slack-screens.ts';
import { openServer } from './slack-server.ts';
import { type Fields, type RecordedCall, SLACK_IDS } from './slack-shapes.ts';
import { type Member, type Person, startUpstream } from './slack-upstream.ts';

/** How to furnish the workspace. */
export interface WorkspaceOptions {
  signingSecret: string;
  port?: number;
  /** Roles; each gets NAME@example.test unless it says otherwise. */
  users?: Person[];
  /** `users` are names; ids begin with S. */
  usergroups?: { id: string; handle: string; users: string[] }[];
  /** Public channels that exist beforehand, with all people and without the bot. */
  channels?: string[];
  /** What the app may do and hears; by default what the project's manifest declares. */
  scopes?: readonly string[];
  subscriptions?: readonly string[];
  /** Waits before Slack's retries of an unanswered event; none by default. */
  eventRetryDelaysMs?: number[];
  /** Slack's published rate limits, off by default. */
  rateLimits?: boolean;
  /** How long a request to the bot may take. */
  timeoutMs?: number;
}

/** A Slack workspace on this machine: Web API, Events API, and people who type and click. */
export interface SlackWorkspace extends SlackObserver {
  readonly url: string;
  readonly apiUrl: string;
  readonly botToken: string;
  readonly botUserId: string;
  readonly botId: string;
  readonly appId: string;
  readonly teamId: string;
  readonly calls: RecordedCall[];
  readonly deliveries: Delivery[];
  readonly sent: SentRequest[];
  /** Names the bot's request URL, for events, commands and clicks alike. */
  connect(eventsUrl: string): void;
  /** The person with that role name. */
  as(name: string): SlackPerson;
  fault(fault: SlackFault): void;
  clearFaults(): void;
  callsOf(method: string): RecordedCall[];
  signedPost(post: SignedPost): Promise<BotAnswer>;
  /** Sends an earlier request (the last one by default) again, byte for byte. */
  replay(request?: SentRequest): Promise<BotAnswer>;
  /** Sends an event again under its event_id, marked as a retry. */
  redeliver(delivery: Delivery): Promise<number>;
  /** Resolves when nothing is in flight between workspace and bot. */
  idle(options?: { quietMs?: number; timeoutMs?: number }): Promise<void>;
  /** Asks again and again until there is an answer; throws, naming `what`, after `timeoutMs` (10 s). */
  waitFor<T>(
    what: string,
    probe: () => Promise<T | undefined> | T | undefined,
    timeoutMs?: number,
  ): Promise<T>;
  close(): Promise<void>;
}

const BOT_TOKEN = 'xoxb-demo';
const DEFAULT_PEOPLE = ['oncall', 'approver', 'lead', 'legal', 'compliance', 'comms', 'product'];

/** Starts the workspace on 127.0.0.1; people can act as soon as `connect` has named a bot. */
export async function startSlackWorkspace(options: WorkspaceOptions): Promise<SlackWorkspace> {
  const server = await openServer(options.port ?? 0);
  const { url } = server;
  const core = await furnish(options, url);
  const faults = createFaults();
  const calls: RecordedCall[] = [];
  const overLimit = options.rateLimits ? createLimiter() : () => 0;
  server.serve({ core, faults, calls, botToken: BOT_TOKEN, overLimit });
  return {
    url,
    apiUrl: `${url}/api/`,
    botToken: BOT_TOKEN,
    botUserId: SLACK_IDS.botUser,
    botId: SLACK_IDS.bot,
    appId: SLACK_IDS.app,
    teamId: SLACK_IDS.team,
    calls,
    deliveries: core.events.deliveries,
    sent: core.line.sent,
    ...createObserver(core),
    ...wire(core),
    as: (name) => createPerson(core, memberNamed(core, name)),
    fault: faults.add,
    clearFaults: faults.clear,
    callsOf: (method) => calls.filter((call) => call.method === method),
    findButton: (message, actionId) =>
      findClickable(message.blocks as Fields[] | undefined, actionId)?.element,
    waitFor,
    close: async () => {
      core.events.close();
      await core.activity.idle({ quietMs: 0, timeoutMs: 1_000 }).catch(() => undefined);
      await server.close();
      await core.upstream.close();
    },
  };
}

function wire(
  core: SlackCore,
): Pick<SlackWorkspace, 'connect' | 'signedPost' | 'replay' | 'redeliver' | 'idle'> {
  return {
    connect: core.line.connect,
    signedPost: (post) => core.activity.track(core.line.signedPost(post)),
    replay: (request) => core.activity.track(core.line.replay(request)),
    redeliver: core.events.redeliver,
    idle: core.activity.idle,
  };
}

async function furnish(options: WorkspaceOptions, url: string): Promise<SlackCore> {
  const manifest = readManifest();
  const scopes = options.scopes ?? manifest.scopes;
  const people = options.users ?? DEFAULT_PEOPLE.map((name) => ({ name }));
  const upstream = await startUpstream({
    publicUrl: url,
    people,
    channels: options.channels ?? ['incidents'],
    botScopes: scopes,
  });
  const activity = createActivity();
  const line = createBotLine({
    signingSecret: options.signingSecret,
    timeoutMs: options.timeoutMs ?? 10_000,
  });
  const events = createEventSender({
    line,
    activity,
    subscriptions: options.subscriptions ?? manifest.events,
    retryDelaysMs: options.eventRetryDelaysMs ?? [],
  });
  const core: SlackCore = {
    upstream,
    line,
    events,
    activity,
    screens: createScreens(upstream),
    responseUrls: createResponseUrls(url),
    ephemerals: [],
    usergroups: [],
    scopes: new Set(scopes),
    ejected: new Set(),
  };
  core.usergroups = (options.usergroups ?? []).map((group) => ({
    ...group,
    users: group.users.map((name) => memberNamed(core, name).id),
  }));
  return core;
}

function memberNamed(core: SlackCore, name: string): Member {
  const member = core.upstream.members.get(name);
  if (member) return member;
  throw new Error(
    `nobody here is called "${name}"; there are ${[...core.upstream.members.keys()].join(', ')}`,
  );
}

async function waitFor<T>(
  what: string,
  probe: () => Promise<T | undefined> | T | undefined,
  timeoutMs = 10_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== null && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await sleep(20);
  }
}
