import { createHmac } from 'node:crypto';
import { type Fields, isRecord } from './slack-shapes.ts';

/** How the bot answered one request; status 0 means that nobody answered. */
export interface BotAnswer {
  status: number;
  text: string;
  json: Fields | undefined;
  ms: number;
}

/** A request as it went over the wire, kept so that it can be sent again byte for byte. */
export interface SentRequest {
  url: string;
  headers: Record<string, string>;
  body: string;
}

/** What to send; everything about the signature can be falsified. */
export interface SignedPost {
  body: string;
  contentType?: string;
  timestamp?: number;
  secret?: string;
  headers?: Record<string, string>;
}

/** Slack's side of the wire to the bot's request URL. */
export interface BotLine {
  readonly sent: SentRequest[];
  connect(url: string): void;
  connected(): boolean;
  signedPost(post: SignedPost): Promise<BotAnswer>;
  replay(request?: SentRequest): Promise<BotAnswer>;
}

const FORM = 'application/x-www-form-urlencoded';

/** The two headers by which an app knows that a body came from Slack. */
export function slackSignature(secret: string, timestamp: number, body: string): Record<string, string> {
  const digest = createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex');
  return { 'x-slack-request-timestamp': String(timestamp), 'x-slack-signature': `v0=${digest}` };
}

/** Opens the line; requests wait for `connect` to name the bot's URL. */
export function createBotLine(options: { signingSecret: string; timeoutMs: number }): BotLine {
  const sent: SentRequest[] = [];
  let target: string | undefined;

  const transmit = async (request: SentRequest): Promise<BotAnswer> => {
    const started = performance.now();
    const { url, headers, body } = request;
    try {
      const signal = AbortSignal.timeout(options.timeoutMs);
      const response = await fetch(url, { method: 'POST', headers, body, signal });
      const answer = await response.text();
      return { status: response.status, text: answer, json: asJson(answer), ms: performance.now() - started };
    } catch (error) {
      return { status: 0, text: String(error), json: undefined, ms: performance.now() - started };
    }
  };
  return {
    sent,
    connect: (url) => {
      target = url;
    },
    connected: () => target !== undefined,
    signedPost: (post) => {
      if (target === undefined)
        throw new Error('the workspace is not connected to a bot: call connect(eventsUrl)');
      const timestamp = post.timestamp ?? Math.floor(Date.now() / 1000);
      const headers = {
        'content-type': post.contentType ?? FORM,
        ...slackSignature(post.secret ?? options.signingSecret, timestamp, post.body),
        ...post.headers,
      };
      const request = { url: target, headers, body: post.body };
      sent.push(request);
      return transmit(request);
    },
    replay: (request = sent.at(-1)) => {
      if (!request) throw new Error('nothing was sent yet that could be replayed');
      return transmit(request);
    },
  };
}

function asJson(body: string): Fields | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    return isRecord(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
