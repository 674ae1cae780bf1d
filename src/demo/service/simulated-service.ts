import { createRandom } from '../../random.ts';
import { listenOnLoopback } from '../loopback-server.ts';
import { createDryRun } from './dry-run.ts';
import { createObedience, type Master } from './obedience.ts';
import type { EmittedCall } from './otlp-calls.ts';
import { sendCalls } from './otlp-sender.ts';
import {
  ALIAS,
  type Calling,
  callsOver,
  type EmitSpan,
  JUNE,
  MARCH,
  PROMPT,
  type Serving,
  type ServingState,
  stateOf,
  TEMPLATES,
} from './simulated-calls.ts';
import {
  type ControlAction,
  type ControlEffect,
  type ControlFault,
  type ControlRequest,
  createControl,
} from './simulated-control.ts';
import { obeyingCalls } from './simulated-obedience.ts';
import {
  answersByModel,
  changeSettings,
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
  /** Its settings come from the built-in target over OFREP, not from the signed webhook. */
  master?: Master;
}

/** An AI feature on this machine: controllable, and honest about its calls. */
export interface SimulatedService {
  readonly url: string;
  readonly controlUrl: string;
  /** Answers as any prompt version and model would, and nothing comes of it. */
  readonly dryRunUrl: string;
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
  const obedience = options.master === undefined ? null : createObedience(options.master);
  const calling = { random, serving, options };
  const dryRun = createDryRun(options);
  const server = await listenOnLoopback(async (request, response, raw) => {
    if (request.url?.startsWith('/control')) control.handle(request, response, raw);
    else if (request.url === '/dry-run') dryRun(request, response, raw);
    else response.writeHead(404).end();
  }, options.port ?? 0);
  return {
    url: server.url,
    controlUrl: `${server.url}/control`,
    dryRunUrl: `${server.url}/dry-run`,
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
      const calls = await (obedience ? obeyingCalls(span, calling, obedience) : ownCalls(span, calling));
      await sendCalls({ url: options.ingestUrl, token: options.token }, calls);
      return calls;
    },
    close: server.close,
  };
}

function ownCalls(span: EmitSpan, calling: Calling): EmittedCall[] {
  const { enabled, settings } = calling.serving;
  return enabled && answersByModel(settings) ? underSettings(settings, callsOver(span, calling)) : [];
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
