import type { Db } from '../db/database.ts';
import { inputShape } from '../sources/call-sample-store.ts';
import { sampleInputs } from '../sources/input-sample-store.ts';
import { saveEvidence } from './evidence-store.ts';
import { type Freeze, windowOf } from './freeze-store.ts';
import { inputShifts } from './input-shift.ts';

/** Enough to see a difference that matters, few enough to compare within a fraction of a second. */
const SAMPLED = 300;

/**
 * Freezes how the requests of the incident differ from those before it. Policy: they are compared with as long a time just
 * before the onset, at least half an hour, for a night differs from a day. A second time changes nothing.
 */
export async function freezeInputShift(db: Db, freeze: Omit<Freeze, 'passScore'>): Promise<void> {
  const window = windowOf(freeze);
  const lastedMs = window.to.getTime() - window.from.getTime();
  const baseline = { ...window, from: new Date(window.from.getTime() - lastedMs), to: window.from };
  const before = await sampleInputs(db, { ...baseline, limit: SAMPLED });
  const after = await sampleInputs(db, { ...window, limit: SAMPLED });
  await saveEvidence(db, {
    incidentId: freeze.incidentId,
    kind: 'input-shift',
    at: freeze.at,
    data: {
      window: await shapeOf(db, window),
      baseline: await shapeOf(db, baseline),
      shifts: inputShifts(before, after),
    },
  });
}

async function shapeOf(db: Db, window: ReturnType<typeof windowOf>): Promise<object> {
  const { endpoints: _endpoints, ...shape } = await inputShape(db, window);
  return { from: window.from, to: window.to, ...shape };
}
