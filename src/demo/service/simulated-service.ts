import { createHash } from 'node:crypto';
import { listenOnLoopback } from '../loopback-server.ts';
import type { EmittedCall } from './otlp-calls.ts';
import { sendCalls } from './otlp-sender.ts';
import { createRandom, type Random } from './random.ts';
import { answer, type Behaviour, countTokens } from './simulated-answers.ts';
import {
  type ControlAction,
  type ControlEffect,
  type ControlFault,
  type ControlRequest,
  createControl,
} from './simulated-control.ts';
import {
  answersByModel,
  armFor,
  changeSettings,
  type Settings,
  SIMPLE_MODEL,
  settingsAtRest,
  settingsRead,
  underSettings,
} from './simulated-settings.ts';

/** How to set the fake AI feature up. */
export interface SimulatedServiceOptions {
  /** Shared with the bot for the signed webhook. */
  secret: string;
  service: string;
  environment: string;
  seed: number;
  /** Base of the collector; calls go to `/v1/traces` and `/v1/logs` below it. */
  ingestUrl: string;
  token: string;
  port?: number;
}

/** What the feature serves now. */
export interface ServingState {
  prompt: string;
  /** The model that really answers, as responses name it. */
  model: string;
  requestedModel: string;
  enabled: boolean;
}

/** An AI feature on this machine: controllable, and honest about its calls. */
export interface SimulatedService {
  readonly url: string;
  readonly controlUrl: string;
  readonly effects: ControlEffect[];
  readonly requests: ControlRequest[];
  state(): ServingState;
  /** The provider moves 'gpt-4' to June's model; the requested name stays. */
  silentModelChange(): void;
  /** Somebody moves prompt 'answer' to v14, which answers as badly. */
  promptRegression(): void;
  fault(fault: ControlFault): void;
  clearFaults(): void;
  /** Answers `calls` questions spread over the time and reports them; a disabled feature answers none. */
  emit(span: EmitSpan): Promise<EmittedCall[]>;
  close(): Promise<void>;
}

/** When, how many, and what else goes wrong: `alter` can add a leak, an error, a loop to each call. */
export interface EmitSpan {
  from: Date;
  to: Date;
  calls: number;
  alter?: (call: EmittedCall, index: number) => EmittedCall;
}

interface Serving {
  prompt: string;
  pinnedModel: string | undefined;
  providerMoved: boolean;
  enabled: boolean;
  settings: Settings;
}

const ALIAS = 'gpt-4';
const MARCH = 'gpt-4-0314';
const JUNE = 'gpt-4-0613';
const PROMPT = 'answer';
const TEMPLATES: Record<string, string> = {
  v12: 'Is {number} a prime number? Reason step by step, then answer "[Yes]" or "[No]".',
  v13: 'Is {number} a prime number? Think step by step and then answer "[Yes]" or "[No]".',
  v14: 'Is {number} a prime number? Answer "[Yes]" or "[No]".',
};
const USD_PER_INPUT_TOKEN = 0.00003;
const USD_PER_OUTPUT_TOKEN = 0.00006;
const USERS = 40;
const SESSION_MS = 30 * 60_000;

/** Starts the feature with prompt v13 on 'gpt-4', behaving as GPT-4 did in March 2023. */
export async function startSimulatedService(options: SimulatedServiceOptions): Promise<SimulatedService> {
  const random = createRandom(options.seed);
  const serving: Serving = {
    prompt: 'v13',
    pinnedModel: undefined,
    providerMoved: false,
    enabled: true,
    settings: settingsAtRest(),
  };
  const control = createControl(options.secret, {
    service: options.service,
    environment: options.environment,
    apply: (action) => applyTo(serving, action),
    readBack: () => {
      const { prompt, model, requestedModel, enabled } = stateOf(serving);
      const more = { requested_model: requestedModel, ...settingsRead(serving.settings) };
      return { service: options.service, prompt, model, enabled, ...more };
    },
  });
  const server = await listenOnLoopback(async (request, response, raw) => {
    if (request.url?.startsWith('/control')) control.handle(request, response, raw);
    else response.writeHead(404).end();
  }, options.port ?? 0);
  return {
    url: server.url,
    controlUrl: `${server.url}/control`,
    effects: control.effects,
    requests: control.requests,
    state: () => stateOf(serving),
    silentModelChange: () => {
      serving.providerMoved = true;
    },
    promptRegression: () => {
      serving.prompt = 'v14';
    },
    fault: control.fault,
    clearFaults: control.clearFaults,
    emit: async (span) => {
      const { enabled, settings } = serving;
      const isAnswering = enabled && answersByModel(settings);
      const calls = isAnswering ? underSettings(settings, callsOver(span, { random, serving, options })) : [];
      await sendCalls({ url: options.ingestUrl, token: options.token }, calls);
      return calls;
    },
    close: server.close,
  };
}

/** The checksum under which a version of the prompt is known. */
export function promptSha256(version: string): string {
  return createHash('sha256')
    .update(TEMPLATES[version] ?? '')
    .digest('hex');
}

function stateOf(serving: Serving): ServingState {
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

function applyTo(serving: Serving, action: ControlAction): string | undefined {
  if (action.action === 'disable' || action.action === 'enable') serving.enabled = action.to;
  if (action.action === 'prompt') {
    if (action.prompt_name !== undefined && action.prompt_name !== PROMPT)
      return `there is no prompt ${action.prompt_name}`;
    if (!Object.hasOwn(TEMPLATES, action.to)) return `prompt ${PROMPT} has no version ${action.to}`;
    serving.prompt = action.to;
  }
  if (action.action === 'model') {
    if (![ALIAS, MARCH, JUNE].includes(action.to)) return `there is no model ${action.to}`;
    serving.pinnedModel = action.to === ALIAS ? undefined : action.to;
  }
  changeSettings(serving.settings, action);
  return undefined;
}

function callsOver(
  span: EmitSpan,
  parts: { random: Random; serving: Serving; options: SimulatedServiceOptions },
): EmittedCall[] {
  const step = (span.to.getTime() - span.from.getTime()) / span.calls;
  return Array.from({ length: span.calls }, (_, index) => {
    const endedAt = new Date(Math.floor(span.from.getTime() + (index + parts.random.next()) * step));
    const call = oneCall(endedAt, parts);
    return span.alter ? span.alter(call, index) : call;
  });
}

function oneCall(
  endedAt: Date,
  { random, serving, options }: { random: Random; serving: Serving; options: SimulatedServiceOptions },
): EmittedCall {
  const { prompt, model, requestedModel } = servedTo(serving, armFor(serving.settings, random));
  const behaviour: Behaviour = model === JUNE || prompt === 'v14' ? 'june' : 'march';
  const given = answer(random, behaviour);
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
    costUsd: inputTokens * USD_PER_INPUT_TOKEN + given.outputTokens * USD_PER_OUTPUT_TOKEN,
    evaluations: [
      { name: 'quality', score: given.correct ? 1 : 0 },
      { name: 'format', score: given.formatOk ? 1 : 0 },
    ],
  };
}
