import { createHash } from 'node:crypto';
import type { Random } from '../../random.ts';
import type { EmittedCall } from './otlp-calls.ts';
import { answer, type Behaviour, countTokens } from './simulated-answers.ts';
import { armFor, type Settings, SIMPLE_MODEL } from './simulated-settings.ts';

/** What the feature serves now. */
export interface ServingState {
  prompt: string;
  /** The model that really answers, as responses name it. */
  model: string;
  requestedModel: string;
  enabled: boolean;
}

/** When, how many, and what else goes wrong: `alter` can add a leak, an error, a loop to each call. */
export interface EmitSpan {
  from: Date;
  to: Date;
  calls: number;
  alter?: (call: EmittedCall, index: number) => EmittedCall;
}

/** All that an answer depends on. */
export interface Serving {
  prompt: string;
  pinnedModel: string | undefined;
  providerMoved: boolean;
  enabled: boolean;
  settings: Settings;
}

export const ALIAS = 'gpt-4';
export const MARCH = 'gpt-4-0314';
export const JUNE = 'gpt-4-0613';
export const PROMPT = 'answer';
export const TEMPLATES: Record<string, string> = {
  v12: 'Is {number} a prime number? Reason step by step, then answer "[Yes]" or "[No]".',
  v13: 'Is {number} a prime number? Think step by step and then answer "[Yes]" or "[No]".',
  v14: 'Is {number} a prime number? Answer "[Yes]" or "[No]".',
};
const USD_PER_INPUT_TOKEN = 0.00003;
const USD_PER_OUTPUT_TOKEN = 0.00006;
const USERS = 40;
const SESSION_MS = 30 * 60_000;

/** The checksum under which a version of the prompt is known. */
export function promptSha256(version: string): string {
  return createHash('sha256')
    .update(TEMPLATES[version] ?? '')
    .digest('hex');
}

export function stateOf(serving: Serving): ServingState {
  const model = serving.pinnedModel ?? (serving.providerMoved ? JUNE : MARCH);
  return {
    prompt: serving.prompt,
    model,
    requestedModel: serving.pinnedModel ?? ALIAS,
    enabled: serving.enabled,
  };
}

/** What answers one call: the arm that it falls into, or the fallback's simpler model. */
function servedTo(serving: Serving, arm: string | null): Omit<ServingState, 'enabled'> {
  const served = stateOf(serving);
  if (serving.settings.fallback === 'simple')
    return { ...served, model: SIMPLE_MODEL, requestedModel: SIMPLE_MODEL };
  if (arm === null) return served;
  const version = arm.split('=').at(-1) ?? arm;
  return Object.hasOwn(TEMPLATES, version)
    ? { ...served, prompt: version }
    : { ...served, model: arm, requestedModel: arm };
}

export function behaviourOf({ model, prompt }: { model: string; prompt: string }): Behaviour {
  return model === JUNE || prompt === 'v14' ? 'june' : 'march';
}

export function costUsdOf(inputTokens: number, outputTokens: number): number {
  return inputTokens * USD_PER_INPUT_TOKEN + outputTokens * USD_PER_OUTPUT_TOKEN;
}

/** Who the calls are of, and by which chance they are made. */
export interface Calling {
  random: Random;
  serving: Serving;
  options: { service: string; environment: string };
}

/** Calls spread evenly over the time. */
export function callsOver(span: EmitSpan, parts: Calling): EmittedCall[] {
  const step = (span.to.getTime() - span.from.getTime()) / span.calls;
  return Array.from({ length: span.calls }, (_, index) => {
    const endedAt = new Date(Math.floor(span.from.getTime() + (index + parts.random.next()) * step));
    const call = oneCall(endedAt, parts);
    return span.alter ? span.alter(call, index) : call;
  });
}

export function oneCall(endedAt: Date, { random, serving, options }: Calling): EmittedCall {
  const { prompt, model, requestedModel } = servedTo(serving, armFor(serving.settings, random));
  const given = answer(random, behaviourOf({ model, prompt }));
  const input = (TEMPLATES[prompt] ?? '').replace('{number}', String(given.number));
  const inputTokens = countTokens(input) + 4;
  const latencyMs = Math.round((900 + given.outputTokens * 32) * (0.7 + 0.6 * random.next()));
  const user = `user-${String(random.below(USERS) + 1).padStart(3, '0')}`;
  return {
    service: options.service,
    environment: options.environment,
    startedAt: new Date(endedAt.getTime() - latencyMs),
    endedAt,
    traceId: random.hex(32),
    spanId: random.hex(16),
    requestModel: requestedModel,
    responseModel: model,
    provider: 'openai',
    promptName: PROMPT,
    promptVersion: prompt,
    promptSha256: promptSha256(prompt),
    endpoint: '/answers',
    user,
    session: `${user}-${Math.floor(endedAt.getTime() / SESSION_MS).toString(36)}`,
    input,
    output: given.output,
    inputTokens,
    outputTokens: given.outputTokens,
    costUsd: costUsdOf(inputTokens, given.outputTokens),
    evaluations: [
      { name: 'quality', score: given.correct ? 1 : 0 },
      { name: 'format', score: given.formatOk ? 1 : 0 },
    ],
  };
}
