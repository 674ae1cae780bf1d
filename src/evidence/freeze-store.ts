import type { Db } from '../db/database.ts';
import { evaluationsBetween } from '../detection/evaluation-store.ts';
import { inputShape, type SampledCall, sampleCalls } from '../sources/call-sample-store.ts';
import { freezeContent } from '../sources/call-store.ts';
import { sha256Of } from './digest.ts';
import { type EvidenceKind, saveEvidence } from './evidence-store.ts';
import type { ServingState } from './ledger.ts';
import { rowsOf, stateAt } from './ledger-store.ts';
import { diff, suspects } from './what-changed.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DRIFT_MS = 2 * HOUR_MS;
const CHANGES_BEFORE_ONSET_MS = 24 * HOUR_MS;
const SHIFT_BASELINE_MS = 24 * HOUR_MS;
/**
 * Where no onset could be estimated, and at the least: an onset of a minute ago is too short a window to
 * sample.
 */
const MIN_WINDOW_MS = 30 * MINUTE_MS;
const REPRESENTATIVE = 50;
const FAILING = 20;

export interface Freeze {
  incidentId: number;
  service: string;
  environment: string;
  /** Time of declaration. */
  at: Date;
  onset: Date | null;
  /** A call that scored below this is a failing one. */
  passScore?: number;
}

/**
 * Freezes the five data points (rendered prompt and checksum, model and its parameters, samples, drift of the
 * two hours before, input shift) and the changes. Pass a transaction. A second time changes nothing.
 */
export async function freezeEvidence(db: Db, freeze: Freeze): Promise<void> {
  const { incidentId, at } = freeze;
  const save = (kind: EvidenceKind, data: object) =>
    saveEvidence(db, { incidentId, kind, at, data: { ...data } });
  const samples = await samplesOf(db, freeze);
  const atDeclaration = await stateAt(db, freeze);
  const atOnset = await stateAt(db, { ...freeze, at: freeze.onset ?? at });
  const newest = samples.calls.toSorted((a, b) => b.at.getTime() - a.at.getTime())[0];
  await save('prompt', {
    atOnset: componentsIn(atOnset, isPrompt),
    atDeclaration: componentsIn(atDeclaration, isPrompt),
    rendered: newest === undefined ? null : renderedOf(newest),
  });
  await save('model', {
    atOnset: componentsIn(atOnset, (component) => component === 'model'),
    atDeclaration: componentsIn(atDeclaration, (component) => component === 'model'),
    parameters: newest?.parameters ?? null,
  });
  const isNew = await save('samples', samples.data);
  // The texts stay where they are; only those of the samples that were frozen are kept from pruning.
  const sampledIds = samples.calls.map((call) => call.id);
  if (isNew) await freezeContent(db, sampledIds, incidentId);
  await save('drift', await driftOf(db, freeze));
  await save('input-shift', await inputShiftOf(db, freeze));
  await save('changes', await changesOf(db, freeze, diff(atOnset, atDeclaration)));
}

/** From the onset to the declaration, and at least half an hour. */
function windowOf({ service, environment, at, onset }: Freeze) {
  const latestStart = at.getTime() - MIN_WINDOW_MS;
  const from = new Date(Math.min(onset?.getTime() ?? latestStart, latestStart));
  return { service, environment, from, to: at };
}

async function samplesOf(db: Db, freeze: Freeze): Promise<{ data: object; calls: SampledCall[] }> {
  const window = windowOf(freeze);
  const passScore = freeze.passScore === undefined ? {} : { passScore: freeze.passScore };
  const representative = await sampleCalls(db, {
    ...window,
    which: 'any',
    limit: REPRESENTATIVE,
    ...passScore,
  });
  const failing = await sampleCalls(db, { ...window, which: 'bad', limit: FAILING, ...passScore });
  const { from, to } = window;
  const data = {
    window: { from, to },
    passScore: freeze.passScore ?? null,
    representative: representative.map(sampleOf),
    failing: failing.map(sampleOf),
  };
  const calls = [...new Map([...representative, ...failing].map((call) => [call.id, call])).values()];
  return { data, calls };
}

/** No texts: their digests prove them as long as they are kept, and erasing them breaks nothing. */
function sampleOf(call: SampledCall) {
  return {
    callId: call.id,
    at: call.at,
    quality: call.quality,
    formatOk: call.formatOk,
    error: call.error,
    promptName: call.promptName,
    promptVersion: call.promptVersion,
    requestModel: call.requestModel,
    responseModel: call.responseModel,
    inputSha256: call.input === null ? null : sha256Of(call.input),
    outputSha256: call.output === null ? null : sha256Of(call.output),
  };
}

function renderedOf(call: SampledCall) {
  const { promptName, promptVersion, promptSha256 } = call;
  const inputSha256 = call.input === null ? null : sha256Of(call.input);
  return { callId: call.id, at: call.at, promptName, promptVersion, promptSha256, inputSha256 };
}

const isPrompt = (component: string) => component === 'prompt' || component.startsWith('prompt:');

function componentsIn(state: ServingState, wanted: (component: string) => boolean): ServingState {
  return Object.fromEntries(Object.entries(state).filter(([component]) => wanted(component)));
}

async function driftOf(db: Db, { service, environment, at }: Freeze): Promise<object> {
  const from = new Date(at.getTime() - DRIFT_MS);
  const to = new Date(at.getTime() + 1);
  return { from, to: at, evaluations: await evaluationsBetween(db, { service, environment, from, to }) };
}

async function inputShiftOf(db: Db, freeze: Freeze): Promise<object> {
  const window = windowOf(freeze);
  const baseline = { ...window, from: new Date(window.from.getTime() - SHIFT_BASELINE_MS), to: window.from };
  return { window: await shapeOf(db, window), baseline: await shapeOf(db, baseline) };
}

async function shapeOf(db: Db, window: ReturnType<typeof windowOf>): Promise<object> {
  const { endpoints, ...shape } = await inputShape(db, window);
  const top = endpoints[0];
  const { from, to } = window;
  return {
    from,
    to,
    ...shape,
    topEndpoint: top?.endpoint ?? null,
    topEndpointShare: top === undefined ? null : top.n / shape.calls,
  };
}

async function changesOf(db: Db, freeze: Freeze, sinceOnset: object[]): Promise<object> {
  const { service, environment, at } = freeze;
  const onset = freeze.onset ?? at;
  const since = new Date(onset.getTime() - CHANGES_BEFORE_ONSET_MS);
  const rows = await rowsOf(db, { service, environment, since, until: new Date(at.getTime() + 1) });
  const ledger = rows.map(({ id, component, state, previous, at: rowAt, source, actor, digest }) => ({
    id,
    component,
    state,
    previous,
    at: rowAt,
    source,
    actor,
    digest,
  }));
  return { onset: freeze.onset, suspects: suspects(rows, onset), sinceOnset, ledger };
}
