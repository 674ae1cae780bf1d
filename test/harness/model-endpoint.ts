import type { IncomingHttpHeaders } from 'node:http';
import { listenOnLoopback, parseJson, sendJson } from '../../src/demo/loopback-server.ts';

/** One request that arrived, as it was sent. */
export interface ModelRequest {
  path: string;
  headers: IncomingHttpHeaders;
  body: {
    model?: string;
    user?: string;
    prompt?: string;
    messages?: { role: string; content: string }[];
    [key: string]: unknown;
  };
}

/** What is answered: a text, as a chat completion or `{"output"}`, or a raw answer. */
export type ModelAnswer = string | { status: number; body?: unknown; headers?: Record<string, string> };

export interface ModelEndpoint {
  url: string;
  requests: ModelRequest[];
  /** From now on; a promise is answered when it resolves. */
  answerWith(answer: (request: ModelRequest) => ModelAnswer | Promise<ModelAnswer>): void;
  close(): Promise<void>;
}

/** Speaks `POST /chat/completions` as model gateways do, and the canary webhook at `/canary`. */
export async function startModelEndpoint(): Promise<ModelEndpoint> {
  const requests: ModelRequest[] = [];
  let answer: (request: ModelRequest) => ModelAnswer | Promise<ModelAnswer> = () => 'fine';
  const server = await listenOnLoopback(async (incoming, response, bytes) => {
    const request: ModelRequest = {
      path: incoming.url ?? '',
      headers: incoming.headers,
      body: parseJson(bytes) as ModelRequest['body'],
    };
    requests.push(request);
    const given = await answer(request);
    if (typeof given !== 'string') return sendJson(response, given);
    const body = request.path === '/canary' ? { output: given } : completion(given);
    sendJson(response, { status: 200, body });
  });
  return {
    url: server.url,
    requests,
    answerWith(next) {
      answer = next;
    },
    close: server.close,
  };
}

function completion(content: string): object {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_750_000_000,
    model: 'model-1',
    choices: [{ index: 0, message: { role: 'assistant', content, refusal: null }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
  };
}
