import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Activity } from './slack-activity.ts';
import type { BotLine } from './slack-line.ts';
import { type Fields, SLACK_IDS, text } from './slack-shapes.ts';

/** One Events API envelope and what became of it. */
export interface Delivery {
  envelope: Fields;
  /** HTTP status of each attempt, 0 for no answer; empty while the first is under way. */
  statuses: number[];
}

/** Slack's Events API: signs, sends without making anyone wait, retries what was not answered with 2xx. */
export interface EventSender {
  readonly deliveries: Delivery[];
  emit(event: Fields): void;
  /** Sends an envelope again under the same event_id, as Slack does when it missed our answer. */
  redeliver(delivery: Delivery): Promise<number>;
  close(): void;
}

/** Every event that the workspace can send, for tests of the workspace itself. */
export const EVERY_EVENT: readonly string[] = [
  'app_home_opened',
  'app_mention',
  'channel_archive',
  'channel_unarchive',
  'channel_rename',
  'group_archive',
  'member_joined_channel',
  'member_left_channel',
  'message.channels',
  'message.groups',
  'message.im',
  'reaction_added',
  'reaction_removed',
  'pin_added',
  'app_uninstalled',
  'tokens_revoked',
];
const MESSAGE_SCOPES: Record<string, string> = {
  channel: 'message.channels',
  group: 'message.groups',
  im: 'message.im',
  mpim: 'message.mpim',
};
let lastTick = 0;

/** A timestamp in Slack's form that no other event has. */
export function freshTs(): string {
  lastTick += 1;
  return `${Math.floor(Date.now() / 1000)}.${String(900_000 + (lastTick % 100_000))}`;
}

/** Starts the sender; `retryDelaysMs` are Slack's one and five minutes in small. */
export function createEventSender(options: {
  line: BotLine;
  activity: Activity;
  subscriptions: readonly string[];
  retryDelaysMs: readonly number[];
}): EventSender {
  const { line, activity } = options;
  const deliveries: Delivery[] = [];
  const stop = new AbortController();

  const attempt = async (delivery: Delivery, retry: number): Promise<number> => {
    const headers = retry === 0 ? {} : retryHeaders(retry, delivery.statuses.at(-1) ?? 0);
    const body = JSON.stringify(delivery.envelope);
    const answer = await line.signedPost({ body, contentType: 'application/json', headers });
    delivery.statuses.push(answer.status);
    return answer.status;
  };
  const deliver = async (delivery: Delivery): Promise<void> => {
    for (let retry = 0; retry <= options.retryDelaysMs.length; retry++) {
      const status = await attempt(delivery, retry);
      if (status >= 200 && status < 300) return;
      await sleep(options.retryDelaysMs[retry] ?? 0, undefined, { signal: stop.signal }).catch(
        () => undefined,
      );
      if (stop.signal.aborted) return;
    }
  };
  return {
    deliveries,
    emit: (event) => {
      if (!line.connected() || stop.signal.aborted) return;
      if (!options.subscriptions.includes(subscriptionOf(event))) return;
      const delivery = { envelope: envelopeOf(event), statuses: [] };
      deliveries.push(delivery);
      void activity.track(deliver(delivery));
    },
    redeliver: (delivery) => activity.track(attempt(delivery, delivery.statuses.length)),
    close: () => stop.abort(),
  };
}

function subscriptionOf(event: Fields): string {
  if (event['type'] !== 'message') return text(event['type']);
  return MESSAGE_SCOPES[text(event['channel_type'])] ?? 'message.channels';
}

function envelopeOf(event: Fields): Fields {
  const eventTs = text(event['event_ts']) || freshTs();
  return {
    token: 'verification-token-is-deprecated',
    team_id: SLACK_IDS.team,
    api_app_id: SLACK_IDS.app,
    event: { ...event, event_ts: eventTs },
    type: 'event_callback',
    event_id: `Ev${randomUUID().replaceAll('-', '').slice(0, 10).toUpperCase()}`,
    event_time: Math.floor(Date.now() / 1000),
    authorizations: [
      {
        enterprise_id: null,
        team_id: SLACK_IDS.team,
        user_id: SLACK_IDS.botUser,
        is_bot: true,
        is_enterprise_install: false,
      },
    ],
    is_ext_shared_channel: false,
    event_context: `4-${randomUUID()}`,
  };
}

function retryHeaders(retry: number, lastStatus: number): Record<string, string> {
  const reason = lastStatus === 0 ? 'http_timeout' : 'http_error';
  return { 'x-slack-retry-num': String(retry), 'x-slack-retry-reason': reason };
}
