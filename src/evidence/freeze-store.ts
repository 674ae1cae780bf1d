import type { Db } from '../db/database.ts';
import type { Category } from '../db/schema.ts';
import { evaluationsBetween } from '../detection/evaluation-store.ts';
import { type Failure, type SampledCall, sampleCalls } from '../sources/call-sample-store.ts';
import { freezeContent } from '../sources/call-store.ts';
import { medianOutputChars } from '../sources/replay-sample-store.ts';
import { type StratifiedCall, servedVariants, stratifiedCalls } from '../sources/stratified-sample-store.ts';
import { sha256Of } from './digest.ts';
import { driftVerdict } from './drift-verdict.ts';
import { type EvidenceKind, saveEvidence } from './evidence-store.ts';
import type { ServingState } from './ledger.ts';
import { rowsOf, seenBefore, stateAt } from './ledger-store.ts';
import { diff, suspects } from './what-changed.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DRIFT_MS = 2 * HOUR_MS;
const CHANGES_BEFORE_ONSET_MS = 24 * HOUR_MS;
const BASELINE_MS = 24 * HOUR_MS;
const PER_STRATUM = 10;
/** An output less than half as long as usual is short. */
const SHORT_SHARE = 0.5;
const PASS_SCORE = 0.5;
/**
 * Where no onset could be estimated, and at the least: an onset of a minute ago is too short a window to
 * sample.
 */
const MIN_WINDOW_MS = 30 * MINUTE_MS;
const REPRESENTATIVE = 50;
const FAILING = 20;

/** Policy: an incident's failing calls are of its own kind, whatever else went wrong meanwhile. */
export const FAILURE_OF: Readonly<Record<Category, Failure>> = {
  quality: 'answer',
  outage: 'error',
  cost: 'cost',
  safety: 'safety',
};

export interface Freeze {
  incidentId: number;
  service: string;
  environment: string;
  /** Time of declaration. */
  at: Date;
  onset: Date | null;
  /** A call that scored below this is a failing one. */
  passScore?: number;
  /** What the incident is about: which calls are the failing ones. */
  failure?: Failure;
}

/**
 * Freezes prompt, model, samples, drift and changes at declaration; how the inputs shifted is frozen by a job of its own,
 * because it takes longer than an opening may wait. Pass a transaction. A second time changes nothing.
 */
export async function freezeEvidence(db: Db, freeze: Freeze): Promise<void> {
  const { incidentId, at } = freeze;
  const save = (kind: EvidenceKind, data: object) =>
    saveEvidence(db, { incidentId, kind, at, data: { ...data } });
  const atDeclaration = await stateAt(db, freeze);
  const atOnset = await stateAt(db, { ...freeze, at: freeze.onset ?? at });
  await freezeServed(db, freeze, '');
  await save('drift', await driftOf(db, freeze));
  await save('changes', await changesOf(db, freeze, diff(atOnset, atDeclaration)));
}

/** The same once more when it is over: by then the window holds all that went wrong. Pass a transaction. */
export async function freezeAtResolve(db: Db, freeze: Freeze): Promise<void> {
  await freezeServed(db, freeze, '-at-resolve');
}

/** What was serving, and samples of what came of it. */
async function freezeServed(db: Db, freeze: Freeze, suffix: '' | '-at-resolve'): Promise<void> {
  const { incidentId, at, service, environment } = freeze;
  const save = (kind: 'prompt' | 'model' | 'samples' | 'strata', data: object) =>
    saveEvidence(db, { incidentId, kind: `${kind}${suffix}`, at, data: { ...data } });
  const window = windowOf(freeze);
  const samples = await samplesOf(db, freeze);
  const strata = await strataOf(db, freeze);
  const variants = await servedVariants(db, window);
  const atNow = await stateAt(db, freeze);
  const atOnset = await stateAt(db, { ...freeze, at: freeze.onset ?? at });
  const newest = samples.calls.toSorted((a, b) => b.at.getTime() - a.at.getTime())[0];
  await save('prompt', {
    atOnset: componentsIn(atOnset, isPrompt),
    atDeclaration: componentsIn(atNow, isPrompt),
    rendered: newest === undefined ? null : renderedOf(newest),
    variants,
  });
  const since = await seenBefore(db, {
    service,
    environment,
    component: 'model',
    before: new Date(at.getTime() + 1),
  });
  await save('model', {
    atOnset: componentsIn(atOnset, (component) => component === 'model'),
    atDeclaration: componentsIn(atNow, (component) => component === 'model'),
    parameters: newest?.parameters ?? null,
    servedSince: since?.at ?? null,
  });
  const isNew = await save('samples', samples.data);
  await save('strata', strata);
  // The texts stay where they are; only those of the calls that were frozen are kept from pruning.
  const kept = [
    ...samples.calls.map((call) => call.id),
    ...strata.calls.map(({ callId }) => callId),
    ...variants.map(({ newestCallId }) => newestCallId),
  ];
  if (isNew) await freezeContent(db, [...new Set(kept)], incidentId);
}

/** Ten calls of each way in which calls ended, with the chance that each had to be among them. */
async function strataOf(db: Db, freeze: Freeze): Promise<{ window: object; calls: StratifiedCall[] }> {
  const window = windowOf(freeze);
  const usual = { ...window, from: new Date(window.from.getTime() - BASELINE_MS), to: window.from };
  const median = await medianOutputChars(db, usual);
  const calls = await stratifiedCalls(db, {
    ...window,
    passScore: freeze.passScore ?? PASS_SCORE,
    minChars: median === null ? null : Math.floor(median * SHORT_SHARE),
    perStratum: PER_STRATUM,
  });
  return { window: { from: window.from, to: window.to }, calls };
}

/** From the onset to the declaration, and at least half an hour. */
export function windowOf({
  service,
  environment,
  at,
  onset,
}: Omit<Freeze, 'incidentId' | 'passScore' | 'failure'>) {
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
  const failure = freeze.failure ?? 'answer';
  const failing = await sampleCalls(db, { ...window, which: 'bad', limit: FAILING, failure, ...passScore });
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
  const evaluations = await evaluationsBetween(db, { service, environment, from, to });
  return { from, to: at, evaluations, ...driftVerdict(evaluations, at) };
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
