import { z } from 'zod';
import { ExternalError, messageOf } from '../errors.ts';
import {
  askSource,
  notUnderstood,
  refusedBy,
  type SourceAnswer,
  type SourceRequest,
} from './source-request.ts';

export interface ChatMessage {
  role: 'system' | 'user';
  content: string;
}

export interface ChatRequest extends Pick<SourceRequest, 'signal' | 'dispatcher'> {
  /** Name of the endpoint, for people. */
  source: string;
  /** Base of the API: "/chat/completions" is added. */
  url: string;
  token?: string | undefined;
  headers?: Record<string, string>;
  body: { messages: ChatMessage[]; model?: string | undefined; [parameter: string]: unknown };
  timeoutMs: number;
}

const part = z.object({ type: z.string(), text: z.string().optional() });
const completion = z.object({
  choices: z
    .array(
      z.object({
        message: z.object({
          content: z.union([z.string(), z.array(part)]).nullish(),
          refusal: z.string().nullish(),
        }),
      }),
    )
    .min(1),
});
const complaint = z.object({ error: z.object({ message: z.string() }) });
const LONGEST_COMPLAINT = 200;

/**
 * One chat completion of an OpenAI-compatible endpoint; the text of its first choice, a refusal included. Throws
 * ExternalError for a status that is no answer, for no answer in time, and for one without a text.
 */
export async function completeChat(asked: ChatRequest): Promise<string> {
  const { source, token, timeoutMs, signal, dispatcher } = asked;
  const answer = await askSource({
    source,
    url: `${asked.url.replace(/\/+$/, '')}/chat/completions`,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...asked.headers,
    },
    body: JSON.stringify(asked.body),
    timeoutMs,
    signal,
    dispatcher,
  });
  if (answer.status !== 200) throw withReason(refusedBy(source, answer), answer);
  return textOf(source, answer);
}

function textOf(source: string, { text }: SourceAnswer): string {
  try {
    const { message } = completion.parse(JSON.parse(text)).choices[0] as Choice;
    const content = Array.isArray(message.content)
      ? message.content.map((one) => one.text ?? '').join('')
      : message.content;
    const said = content ?? message.refusal;
    if (said === null || said === undefined) throw new Error('a choice without a text');
    return said;
  } catch (thrown) {
    throw notUnderstood(source, thrown instanceof z.ZodError ? z.prettifyError(thrown) : messageOf(thrown));
  }
}

type Choice = z.infer<typeof completion>['choices'][number];

/** Adds what the endpoint said about it, on one line. */
function withReason(refused: ExternalError, { text }: SourceAnswer): ExternalError {
  const said = complaint.safeParse(jsonOf(text));
  if (!said.success) return refused;
  const reason = said.data.error.message.replace(/\s+/g, ' ').slice(0, LONGEST_COMPLAINT);
  return new ExternalError(`${refused.message}: ${reason}`, {
    service: refused.service,
    code: refused.code,
    retryable: refused.retryable,
    retryAfterMs: refused.retryAfterMs,
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
