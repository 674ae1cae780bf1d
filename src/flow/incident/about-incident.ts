import { evidenceOf } from '../../evidence/evidence-store.ts';
import type { Incident } from '../../incident/incident.ts';
import { milestonesOf } from '../../incident/incident-store.ts';
import type { CallWindow } from '../../sources/call-statistics-store.ts';
import type { Bar } from '../../sources/failure-store.ts';
import { medianOutputChars } from '../../sources/replay-sample-store.ts';
import type { Flow } from '../flow.ts';

const PASS_SCORE = 0.5;
/** An output less than half as long as usual is short. */
const SHORT_SHARE = 0.5;
const LEAST_WINDOW_MS = 30 * 60_000;
const BASELINE_MS = 24 * 3_600_000;
const DRAWN_OUT_MS = 6 * 3_600_000;

/** Which calls an incident is about, and which of them are bad. */
export interface About {
  service: { service: string; environment: string };
  /** From when it began, or half an hour before it was declared, to its end, now, or six hours later. */
  window: CallWindow;
  /** A day before. */
  baseline: CallWindow;
  bar: Bar;
  /** When it began, as the rule or a person said. */
  said: Date | null;
  /** The best that is known of when it began. */
  onset: Date;
}

/** Null for an incident that names no service. */
export async function aboutIncident(
  flow: Pick<Flow, 'db' | 'clock'>,
  incident: Incident,
): Promise<About | null> {
  if (incident.service === null) return null;
  const { service, environment, created_at: declared } = incident;
  const { started, contained, resolved } = await milestonesOf(flow.db, incident.id);
  const onset = started ?? declared;
  const from = started ?? new Date(declared.getTime() - LEAST_WINDOW_MS);
  const now = flow.clock.now().getTime() + 1;
  const ends = [contained, resolved].flatMap((at) => at?.getTime() ?? []).filter((at) => at > from.getTime());
  const to = new Date(Math.min(now, ...ends, from.getTime() + DRAWN_OUT_MS));
  const window = { service, environment, from, to };
  const baseline = { service, environment, from: new Date(from.getTime() - BASELINE_MS), to: from };
  const { samples } = await evidenceOf(flow.db, incident.id);
  const passScore = (samples?.data['passScore'] ?? PASS_SCORE) as number;
  const median = await medianOutputChars(flow.db, baseline);
  const bar = { passScore, minChars: median === null ? null : Math.floor(median * SHORT_SHARE) };
  return { service: { service, environment }, window, baseline, bar, said: started ?? null, onset };
}
