import type { Db } from '../../db/database.ts';
import { evaluationsBetween, type StoredEvaluation } from '../../detection/evaluation-store.ts';
import type { RuleId } from '../../detection/rule.ts';
import type { DriftVerdict } from '../../evidence/drift-verdict.ts';
import type { Evidence, EvidenceKind } from '../../evidence/evidence-store.ts';
import type { Shift } from '../../evidence/input-shift.ts';
import { promptNameOf, type ServingState } from '../../evidence/ledger.ts';
import type { Incident } from '../../incident/incident.ts';
import type {
  DataPoints,
  InputShift,
  PostmortemRecord,
  Sample,
  Stratum,
  Variant,
} from '../../postmortem/record.ts';
import { callTexts } from '../../sources/call-sample-store.ts';
import type { ServedVariant, StratifiedCall } from '../../sources/stratified-sample-store.ts';

export type Frozen = Partial<Record<EvidenceKind, Evidence>>;
export type SignalOfRule = NonNullable<PostmortemRecord['signal']>;

export interface FrozenSample {
  callId: number;
  quality: number | null;
  formatOk: boolean | null;
}

/** Where the evidence says no better. */
const PASS_SCORE = 0.5;

/** The five data points as they were frozen; what was not there to freeze is absent. */
export async function loadDataPoints(db: Db, frozen: Frozen): Promise<DataPoints> {
  return {
    prompt: await promptPoint(db, frozen.prompt),
    model: modelPoint(frozen.model),
    samples: await samplePoint(db, frozen.samples),
    strata: strataIn(frozen['strata-at-resolve'] ?? frozen.strata),
    driftVerdict: driftVerdictIn(frozen.drift),
    drift: driftPoint(frozen.drift),
    inputShift: shiftPoint(frozen['input-shift']),
  };
}

async function promptPoint(db: Db, evidence: Evidence | undefined): Promise<DataPoints['prompt']> {
  const state = (evidence?.data['atDeclaration'] ?? {}) as ServingState;
  const [component, values] = Object.entries(state)[0] ?? [];
  if (component === undefined || values === undefined) return undefined;
  const rendered = evidence?.data['rendered'] as { callId: number } | null;
  const text = rendered === null ? undefined : (await callTexts(db, [rendered.callId])).get(rendered.callId);
  const version = values['version'] ?? 'unknown';
  const served = (evidence?.data['variants'] ?? []) as ServedVariant[];
  const seen = served.find(({ promptVersion }) => promptVersion === version);
  return {
    name: promptNameOf(component) ?? seen?.promptName ?? 'unnamed',
    version,
    sha256: values['sha256'] ?? seen?.promptSha256 ?? 'unknown',
    rendered: text?.input ?? undefined,
    variants: variantsIn(evidence),
  };
}

function modelPoint(evidence: Evidence | undefined): DataPoints['model'] {
  const state = (evidence?.data['atDeclaration'] ?? {}) as ServingState;
  const model = state['model'];
  if (model === undefined) return undefined;
  return {
    requested: model['requested'] ?? 'unknown',
    served: model['served'] ?? 'unknown',
    parameters: (evidence?.data['parameters'] ?? {}) as Record<string, string | number>,
    servedSince: dateIn(evidence?.data['servedSince']),
  };
}

const dateIn = (found: unknown) => (typeof found === 'string' ? new Date(found) : undefined);

function variantsIn(evidence: Evidence | undefined): Variant[] | undefined {
  const variants = evidence?.data['variants'] as ServedVariant[] | undefined;
  return variants?.map(({ promptName, promptVersion, promptSha256, requestModel, responseModel, calls }) => {
    const prompt = promptVersion === null ? [] : [`${promptName ?? 'prompt'} ${promptVersion}`];
    const model = responseModel ?? requestModel;
    const name = [...prompt, ...(model === null ? [] : [model])].join(', ') || 'unnamed';
    return { name, sha256: promptSha256 ?? undefined, calls };
  });
}

function strataIn(evidence: Evidence | undefined): Stratum[] | undefined {
  const calls = evidence?.data['calls'] as StratifiedCall[] | undefined;
  if (calls === undefined || calls.length === 0) return undefined;
  const strata = Map.groupBy(calls, ({ stratum }) => stratum);
  return [...strata]
    .map(([kind, all]) => ({ kind, total: all[0]?.total ?? 0, sampled: all.length }))
    .sort((a, b) => b.total - a.total);
}

function driftVerdictIn(evidence: Evidence | undefined): DataPoints['driftVerdict'] {
  const { verdict, because } = (evidence?.data ?? {}) as Partial<DriftVerdict>;
  return verdict === undefined ? undefined : { verdict, because: because ?? [] };
}

async function samplePoint(db: Db, evidence: Evidence | undefined): Promise<Sample[] | undefined> {
  const failing = (evidence?.data['failing'] ?? []) as FrozenSample[];
  const representative = (evidence?.data['representative'] ?? []) as FrozenSample[];
  const passScore = passScoreIn(evidence);
  const good = representative.filter((sample) => isGood(sample, passScore));
  const texts = await callTexts(
    db,
    [...failing, ...good].map((sample) => sample.callId),
  );
  const shown = (samples: FrozenSample[], verdict: Sample['verdict']) =>
    samples.flatMap(({ callId, quality, formatOk }): Sample[] => {
      const text = texts.get(callId);
      if (text?.output == null) return [];
      const scores = { score: quality ?? undefined, formatOk: formatOk ?? undefined };
      return [{ callId: String(callId), verdict, input: text.input ?? '', output: text.output, ...scores }];
    });
  const samples = [...shown(failing, 'bad').slice(0, 5), ...shown(good, 'good').slice(0, 5)];
  return samples.length === 0 ? undefined : samples;
}

function isGood({ quality, formatOk }: FrozenSample, passScore: number): boolean {
  return formatOk !== false && (quality === null ? formatOk === true : quality >= passScore);
}

const DRIFT_STEP_MS = 10 * 60_000;

/** One evaluation a rule and ten minutes is enough to see a drift by; the last of each rule is always there. */
function driftPoint(evidence: Evidence | undefined): DataPoints['drift'] {
  const evaluations = (evidence?.data['evaluations'] ?? []) as (Omit<StoredEvaluation, 'at'> & {
    at: string;
  })[];
  if (evaluations.length === 0) return undefined;
  const latest = new Map<string, (typeof evaluations)[number]>();
  for (const one of evaluations) {
    latest.set(`${one.rule}/${Math.floor(Date.parse(one.at) / DRIFT_STEP_MS)}`, one);
  }
  return [...latest.values()].map(({ at, rule, value, baseline, n, state }) => ({
    at: new Date(at),
    rule,
    value,
    baseline: baseline ?? undefined,
    n,
    state,
  }));
}

/** Below this a call counts as a failing one, as it was frozen. */
export function passScoreOf(frozen: Frozen): number {
  return passScoreIn(frozen.samples);
}

function passScoreIn(samples: Evidence | undefined): number {
  return (samples?.data['passScore'] ?? PASS_SCORE) as number;
}

interface FrozenShape {
  calls: number;
  callsPerMinute: number;
  meanInputChars: number | null;
  meanInputTokens: number | null;
  distinctUsers: number;
}

const SHIFTS: [keyof FrozenShape, string][] = [['callsPerMinute', 'calls per minute']];

function shiftPoint(evidence: Evidence | undefined): InputShift[] | undefined {
  const window = evidence?.data['window'] as FrozenShape | undefined;
  const baseline = evidence?.data['baseline'] as FrozenShape | undefined;
  if (window === undefined || baseline === undefined || baseline.calls === 0) return undefined;
  const rates = SHIFTS.flatMap(([key, metric]): InputShift[] => {
    const [before, after] = [baseline[key], window[key]];
    return before === null || after === null ? [] : [{ metric, before, after, n: window.calls }];
  });
  const shifts = (evidence?.data['shifts'] ?? []) as Shift[];
  return [...rates, ...shifts.map(testedShift)];
}

function testedShift({ measure, before, after, n, effect, size, p, note }: Shift): InputShift {
  return {
    metric: measure,
    before,
    after,
    n,
    effect: `${effect} ${size.toFixed(2)}`,
    p,
    note: note ?? undefined,
  };
}

/** What the rule measured when it fired: the first firing evaluation at or after the declaration. */
export async function signalFacts(db: Db, incident: Incident): Promise<SignalOfRule | undefined> {
  if (incident.rule === null || incident.service === null) return undefined;
  const from = incident.created_at;
  const to = new Date(from.getTime() + 1);
  const about = {
    service: incident.service,
    environment: incident.environment,
    rule: incident.rule as RuleId,
  };
  const [fired] = await evaluationsBetween(db, { ...about, from, to });
  if (fired?.value == null) return undefined;
  return {
    rule: fired.rule,
    value: fired.value,
    baseline: fired.baseline ?? undefined,
    n: fired.n,
    baselineN: fired.baselineN,
    lower: fired.lower ?? undefined,
    upper: fired.upper ?? undefined,
    threshold: fired.threshold ?? undefined,
  };
}
