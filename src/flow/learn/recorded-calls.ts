import type { Db } from '../../db/database.ts';
import type { Incident, Milestones } from '../../incident/incident.ts';
import type { RecordedCall } from '../../postmortem/recorded-call.ts';
import { callTexts, sampleCalls } from '../../sources/call-sample-store.ts';
import { type CallOwner, type CaseCall, callOwners } from '../../sources/case-call-store.ts';
import { type Frozen, type FrozenSample, passScoreOf } from './data-points.ts';

const GOOD_LOOK_BACK_MS = 24 * 3_600_000;
const MOST_GOOD = 200;

/** The frozen failing calls, and good ones from before it began, for the eval cases. */
export async function recordedCalls(
  db: Db,
  about: { incident: Incident; evidence: Frozen; milestones: Milestones },
): Promise<{ bad: RecordedCall[]; good: RecordedCall[] }> {
  const { incident, evidence, milestones } = about;
  if (incident.service === null) return { bad: [], good: [] };
  const failing = failingIn(evidence);
  const texts = await callTexts(
    db,
    failing.map((sample) => sample.callId),
  );
  const passScore = passScoreOf(evidence);
  const onset = milestones.started ?? incident.created_at;
  const window = {
    service: incident.service,
    environment: incident.environment,
    from: new Date(onset.getTime() - GOOD_LOOK_BACK_MS),
    to: onset,
  };
  const sampled = await sampleCalls(db, { ...window, which: 'good', limit: MOST_GOOD, passScore });
  const ids = [...failing.map(({ callId }) => callId), ...sampled.map(({ id }) => id)];
  const owners = await callOwners(db, ids);
  const bad = failing.flatMap(({ callId, quality, formatOk, promptVersion, responseModel }) => {
    const text = texts.get(callId);
    if (text?.input == null || text.output === null) return [];
    const { input, output } = text;
    const call = { id: callId, input, output, quality, formatOk, promptVersion, responseModel };
    return [asRecorded(call, owners.get(callId))];
  });
  const good = sampled.flatMap(({ input, output, ...call }) =>
    input === null || output === null ? [] : [asRecorded({ ...call, input, output }, owners.get(call.id))],
  );
  return { bad, good };
}
type Failing = FrozenSample & { promptVersion: string | null; responseModel: string | null };

/** Those frozen at declaration, then what was frozen besides when it was over. */
function failingIn(evidence: Frozen): Failing[] {
  const frozen = [evidence.samples, evidence['samples-at-resolve']];
  const failing = frozen.flatMap((samples) => (samples?.data['failing'] ?? []) as Failing[]);
  return [...new Map(failing.map((sample) => [sample.callId, sample])).values()];
}

/** A stored call as the eval cases take it. */
export function asRecorded(call: CaseCall, owner: CallOwner | undefined): RecordedCall {
  return {
    callId: String(call.id),
    input: call.input,
    output: call.output,
    score: call.quality ?? undefined,
    formatOk: call.formatOk ?? undefined,
    model: call.responseModel ?? undefined,
    promptName: owner?.promptName ?? undefined,
    promptVersion: call.promptVersion ?? undefined,
    people: owner?.people,
  };
}
