import type { Incident } from '../../incident/incident.ts';
import { addToTimeline, timelineOf } from '../../incident/incident-store.ts';
import { audit } from '../../mitigation/audit-store.ts';
import type { Flow } from '../flow.ts';
import { BREAK_GLASS } from './break-glass-notice.ts';

type Timeline = Awaited<ReturnType<typeof timelineOf>>;

export const REVIEW = 'review';

/** The review of each mitigation that one person ran alone, by the mitigation's id. */
export function reviewsOf(timeline: Timeline): Map<number, { by: string; text: string }> {
  const reviews = timeline.filter(({ kind }) => kind === REVIEW);
  return new Map(
    reviews.flatMap(({ actor, text, data }) =>
      idsOf(data['mitigationIds']).map((id) => [id, { by: actor ?? 'unknown', text }] as const),
    ),
  );
}

const idsOf = (value: unknown): number[] => (Array.isArray(value) ? value.map(Number) : []);

export type Reviewed =
  | { kind: 'kept'; mitigationIds: number[] }
  | { kind: 'nothing-to-review' | 'own' | 'empty' };

/**
 * Keeps what somebody thinks of the mitigations that one person ran alone. Policy: a review is by somebody else than
 * the person who broke the glass, and covers all that nobody has reviewed yet.
 */
export async function reviewBreakGlass(
  flow: Pick<Flow, 'db' | 'clock'>,
  { incident, by, text }: { incident: Incident; by: string; text: string },
): Promise<Reviewed> {
  if (text === '') return { kind: 'empty' };
  const timeline = await timelineOf(flow.db, incident.id);
  const reviewed = reviewsOf(timeline);
  const open = timeline
    .filter(({ kind, data }) => kind === BREAK_GLASS && !reviewed.has(Number(data['mitigationId'])))
    .map(({ actor, data }) => ({ actor, id: Number(data['mitigationId']) }));
  if (open.length === 0) return { kind: 'nothing-to-review' };
  const mitigationIds = open.filter(({ actor }) => actor !== by).map(({ id }) => id);
  if (mitigationIds.length === 0) return { kind: 'own' };
  const at = flow.clock.now();
  await flow.db.transaction().execute(async (tx) => {
    const entry = { incidentId: incident.id, at, kind: REVIEW, actor: by, text, data: { mitigationIds } };
    await addToTimeline(tx, entry);
    for (const id of mitigationIds) {
      const subject = `mitigation ${id}`;
      await audit(tx, { at, actor: by, action: 'mitigation.reviewed', subject });
    }
  });
  return { kind: 'kept', mitigationIds };
}

/** What to tell whoever gave it. */
export function describeReview(outcome: Reviewed): string {
  switch (outcome.kind) {
    case 'kept':
      return `Your review is kept with ${outcome.mitigationIds.map((id) => `mitigation ${id}`).join(', ')}. \`postmortem\` writes it again.`;
    case 'nothing-to-review':
      return 'Nothing waits for a review: no mitigation was run by break-glass, or each is reviewed.';
    case 'own':
      return 'You ran it alone, so somebody else must review it. Nothing was changed.';
    case 'empty':
      return 'Say what you think of it: `postmortem review TEXT`.';
  }
}
