import { App, type Receiver } from '@slack/bolt';
import type { Config } from '../config/config.ts';
import type { Db } from '../db/database.ts';
import { readSetting, writeSetting } from '../db/setting-store.ts';
import { ExternalError } from '../errors.ts';
import type { Chat } from '../flow/ports.ts';
import type { Log } from '../log.ts';
import { slackChat } from './chat.ts';
import { checkedFetch } from './checked-fetch.ts';
import { createInbox, type SlackInbox } from './inbox.ts';
import { httpReceiver, socketReceiver } from './receiver.ts';
import { createWebApi, type WebApi } from './web-api.ts';

const SELF_SETTING = 'slack-self';

/** The app, where people talk, and what comes in from them. */
export interface Slack {
  app: App;
  chat: Chat;
  inbox: SlackInbox;
  receiver: Receiver;
}

/** Connects by HTTP, or by Socket Mode where an app token is set. */
export async function connectSlack(config: Config, { db, log }: { db: Db; log: Log }): Promise<Slack> {
  const { SLACK_BOT_TOKEN: token, SLACK_API_URL: slackApiUrl, SLACK_APP_TOKEN: appToken } = config.env;
  const checked = config.env.NODE_ENV === 'development' ? { fetch: checkedFetch(log) } : {};
  const api = createWebApi({ token, slackApiUrl, ...checked });
  const self = await whoAmI(api, db);
  const receiver: Receiver =
    appToken === undefined
      ? httpReceiver
      : socketReceiver(appToken, { inbox: () => inbox, slackApiUrl, log });
  const app = new App({
    receiver,
    authorize: async () => ({ botToken: token, ...self }),
    convoStore: false,
    clientOptions: {
      slackApiUrl,
      timeout: 2_500,
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      ...checked,
    },
  });
  const inbox = createInbox({ db, log, processor: app });
  return { app, chat: slackChat(api, self), inbox, receiver };
}

interface Self {
  botId: string;
  botUserId: string;
}

/** Asks Slack; while Slack is away, what it said the last time counts, so that paging and ingest start without it. */
async function whoAmI(api: WebApi, db: Db): Promise<Self> {
  try {
    const me = await api.call('auth.test', (client) => client.auth.test());
    const self = { botId: me.bot_id ?? '', botUserId: me.user_id ?? '' };
    await writeSetting(db, SELF_SETTING, self);
    return self;
  } catch (thrown) {
    const known = (await readSetting(db, SELF_SETTING)) as Self | undefined;
    if (known === undefined || !(thrown instanceof ExternalError) || !thrown.retryable) throw thrown;
    return known;
  }
}
