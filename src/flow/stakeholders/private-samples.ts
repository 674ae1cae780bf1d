import { evidenceOf } from '../../evidence/evidence-store.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { audit } from '../../mitigation/audit-store.ts';
import { callTexts } from '../../sources/call-sample-store.ts';
import { newestEvents } from '../../sources/exposure-store.ts';
import type { Flow } from '../flow.ts';
import { exposureOf } from './exposure.ts';
import { maySeePeople } from './may-see.ts';

const SHOWN = 5;
const LOOKED_AT = 50;

export interface ShownSample {
  callId: number;
  /** What was found in it, by kind; null where a score or a format failed. */
  found: string | null;
  input: string;
  output: string;
}

export type Samples =
  | { kind: 'not-allowed' }
  /** `isRaw`: to be shown as they are; else they are redacted where they are rendered. */
  | { kind: 'samples'; samples: ShownSample[]; isRaw: boolean };

/**
 * Examples of what went wrong in an incident whose messages may not hold them. Policy: for who may read the incident,
 * redacted unless the configuration lets that person see them raw; who looked at which calls is in the audit.
 */
export async function samplesFor(
  flow: Pick<Flow, 'db' | 'clock' | 'config' | 'chat' | 'log'>,
  { incident, by }: { incident: Incident; by: string },
): Promise<Samples> {
  if (!(await maySeePeople(flow, incident, by))) return { kind: 'not-allowed' };
  const isRaw = flow.config.may_see_raw.includes(by);
  const samples = await failing(flow, incident);
  await flow.db.transaction().execute(async (tx) => {
    const data = { calls: samples.map(({ callId }) => callId), isRaw };
    const subject = nameOf(incident.id);
    await audit(tx, { at: flow.clock.now(), actor: by, action: 'samples.shown', subject, data });
  });
  return { kind: 'samples', samples, isRaw };
}

/** What the safety rules caught, newest first; else the frozen failing calls. Each output once. */
async function failing(flow: Pick<Flow, 'db' | 'clock'>, incident: Incident): Promise<ShownSample[]> {
  const found = await caught(flow, incident);
  const frozen = (await evidenceOf(flow.db, incident.id)).samples?.data['failing'] ?? [];
  const ids = (frozen as { callId: number }[]).map(({ callId }) => ({ callId, found: null }));
  const wanted = [...found, ...ids];
  const texts = await callTexts(
    flow.db,
    wanted.map(({ callId }) => callId),
  );
  const samples = new Map<string, ShownSample>();
  for (const { callId, found: kinds } of wanted) {
    const text = texts.get(callId);
    if (text?.output == null || samples.has(text.output)) continue;
    samples.set(text.output, { callId, found: kinds, input: text.input ?? '', output: text.output });
  }
  return [...samples.values()].slice(0, SHOWN);
}

async function caught(
  flow: Pick<Flow, 'db' | 'clock'>,
  incident: Incident,
): Promise<{ callId: number; found: string | null }[]> {
  const exposure = await exposureOf(flow, incident);
  if (exposure?.check.kind !== 'events') return [];
  return newestEvents(flow.db, { ...exposure, rules: exposure.check.rules, limit: LOOKED_AT });
}
