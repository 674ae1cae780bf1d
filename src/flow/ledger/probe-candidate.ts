import { ExternalError, messageOf } from '../../errors.ts';
import { stateAt } from '../../evidence/ledger-store.ts';
import { candidateOf, candidateWith } from '../../mitigation/candidate.ts';
import type { Wanted } from '../../mitigation/plan.ts';
import { answeredLately } from '../../mitigation/rehearsal-store.ts';
import { readPromptTexts } from '../../mitigation/serving-store.ts';
import { replayEndpoint } from '../../mitigation/targets/replay-endpoint.ts';
import { askSource } from '../../sources/source-request.ts';
import { type Flow, serviceConfig } from '../flow.ts';

export type Probed =
  /** The state itself answered. */
  | { kind: 'answers' }
  | { kind: 'silent'; problem: string }
  /** `why`: a sentence. */
  | { kind: 'not-probed'; why: string };

export interface Candidate {
  service: string;
  environment: string;
  wanted: readonly Wanted[];
}

/** People wait for it. */
const PROBE_MS = 8_000;
/** A replay of so long ago still tells that it answers, and nobody waits for another one. */
const REHEARSED_WITHIN_MS = 60 * 60_000;
/** The whole text that is sent: no user's, and short. */
const PROBE_TEXT = 'Please answer with one word.';
/** What an endpoint answers for itself, whichever state it was asked about. */
const OWN_TROUBLE = new Set(['401', '403', '429']);

type Probing = Pick<Flow, 'db' | 'clock' | 'config'>;

/**
 * Whether a state that is to be served again still answers. Policy: only the rehearsal endpoint can ask the state itself,
 * and only what it answers about it counts, or that it does not within 8 seconds; the health address speaks for what is
 * served now, so its failure is said and rules nothing out.
 */
export async function probeCandidate(flow: Probing, candidate: Candidate): Promise<Probed> {
  const config = serviceConfig(flow, candidate.service);
  if (config?.rehearsal !== undefined && candidate.environment === flow.config.environment)
    return probeState(flow, candidate, config.rehearsal);
  if (config?.health !== undefined) return { kind: 'not-probed', why: await healthOf(config.health) };
  return { kind: 'not-probed', why: 'Not probed: the service declares no endpoint for it.' };
}

async function probeState(
  flow: Probing,
  { service, environment, wanted }: Candidate,
  config: Parameters<typeof replayEndpoint>[0],
): Promise<Probed> {
  const current = candidateOf(await stateAt(flow.db, { service, environment, at: flow.clock.now() }));
  const state = candidateWith(current, wanted);
  if (state === null)
    return { kind: 'not-probed', why: 'Not probed: only a prompt or a model can be asked.' };
  const since = new Date(flow.clock.now().getTime() - REHEARSED_WITHIN_MS);
  if (await answeredLately(flow.db, { service, environment, candidate: state, since }))
    return { kind: 'answers' };
  const endpoint = replayEndpoint(config, { service, environment, texts: await readPromptTexts(flow.db) });
  const promptName = Object.keys(state.prompts)[0] ?? '';
  const refused = endpoint.refuses(promptName, state);
  if (refused !== null) return { kind: 'not-probed', why: `Not probed: ${refused}.` };
  const call = { id: 0, input: PROBE_TEXT, promptName, parameters: {}, expectedUsd: null };
  const signal = AbortSignal.timeout(PROBE_MS);
  try {
    await endpoint.replay(call, { candidate: state, signal, timeoutMs: PROBE_MS });
    return { kind: 'answers' };
  } catch (thrown) {
    if (!(thrown instanceof ExternalError)) throw thrown;
    return silence(thrown.code);
  }
}

/** In our words alone: an endpoint's may repeat what it was sent. */
function silence(code: string | undefined): Probed {
  if (code === 'timeout') return { kind: 'silent', problem: `no answer within ${PROBE_MS / 1_000} s` };
  if (code !== undefined && /^\d{3}$/.test(code) && !OWN_TROUBLE.has(code))
    return { kind: 'silent', problem: `answered ${code}` };
  const what = code !== undefined && OWN_TROUBLE.has(code) ? `answered ${code}` : 'could not be asked';
  return { kind: 'not-probed', why: `Not probed: the rehearsal endpoint ${what}.` };
}

async function healthOf({ url, timeout_seconds }: { url: string; timeout_seconds: number }): Promise<string> {
  const timeoutMs = Math.min(timeout_seconds * 1_000, PROBE_MS);
  try {
    const { status } = await askSource({ source: 'health probe', url, timeoutMs });
    return status >= 200 && status <= 299 ? HEALTHY : failing(`answered ${status}`);
  } catch (thrown) {
    return failing(messageOf(thrown));
  }
}

const HEALTHY = 'The service is healthy now; this state itself was not probed.';
const failing = (problem: string) =>
  `The health check fails now (${problem}), and this state itself was not probed.`;
