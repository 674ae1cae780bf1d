import type { ReadChange } from '../../evidence/target-reading.ts';
import type { CarriedOut } from '../../mitigation/applied-store.ts';
import { kindOf, type Setting, type Value } from '../../mitigation/serving.ts';
import type { TargetChange } from '../../mitigation/target.ts';

/** When a change was made and who made it, where that is known. */
export interface Author {
  at: Date;
  actor: string | null;
}

/**
 * Policy: a change that a mitigation of ours makes is that one's; any other is the newest that the target's own record
 * has of this setting; where neither knows, it is dated when it was seen and names nobody. No change is dated before
 * the one it follows, or in the future.
 */
export function authorOf(seen: {
  change: Pick<ReadChange, 'component'> & { setting: Setting | null; value: Value };
  /** The row before it. */
  last: { at: Date } | undefined;
  own: readonly CarriedOut[];
  record: readonly TargetChange[];
  now: Date;
}): Author {
  const { change, last, own, record, now } = seen;
  if (last === undefined) return { at: now, actor: ownAuthor(change, own)?.actor ?? null };
  const ours = ownAuthor(
    change,
    own.filter((one) => (one.appliedAt ?? now) > last.at),
  );
  const theirs = record.find(
    ({ setting, at }) => setting === change.setting && at.getTime() !== last.at.getTime(),
  );
  const { at, actor } = ours ?? { at: theirs?.at ?? now, actor: theirs?.by ?? null };
  const time = Math.min(now.getTime(), Math.max(at.getTime(), last.at.getTime() + 1));
  return { at: new Date(time), actor };
}

/** The newest of ours that changed this setting to this; a shift that is under way passes shares on its way there. */
function ownAuthor(
  { setting, value }: { setting: Setting | null; value: Value },
  own: readonly CarriedOut[],
): { at: Date; actor: string } | undefined {
  const ours = own.find(({ steps, appliedAt }) =>
    steps.some(
      (step) =>
        step.setting === setting &&
        (step.to === value || (appliedAt === null && kindOf(step.setting) === 'split')),
    ),
  );
  return ours === undefined ? undefined : { at: ours.appliedAt ?? ours.startedAt, actor: actorOf(ours) };
}

/** A private incident has neither a name nor people outside of its room. */
export function actorOf({
  id,
  incidentId,
  isPrivate,
  proposedBy,
}: Pick<CarriedOut, 'id' | 'incidentId' | 'isPrivate' | 'proposedBy'>): string {
  if (isPrivate) return `mitigation ${id}`;
  return `${proposedBy} (mitigation ${id}${incidentId === null ? '' : `, INC-${incidentId}`})`;
}
