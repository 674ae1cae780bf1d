import type { Tx } from '../db/database.ts';
import { enqueue } from '../db/jobs.ts';
import type { Trouble } from '../db/trouble-store.ts';
import { redact } from '../redaction.ts';
import { tellOps } from './effects.ts';
import type { Flow } from './flow.ts';

/** Policy: what is wrong with the bot's own eyes is said once when it begins and once when it is over. */
export async function reportTroubles(
  flow: Pick<Flow, 'log'>,
  tx: Tx,
  found: { fresh: readonly Trouble[]; over: readonly Trouble[]; now: Date },
): Promise<void> {
  const { fresh, over, now } = found;
  for (const { key, problem } of fresh) {
    flow.log.error({ key, problem }, 'a trouble of our own');
    await enqueue(tx, tellOps({ key: `${key}@${now.toISOString()}`, text: redact(problem) }, now));
  }
  for (const { key } of over) {
    const text = `Works again: ${redact(key)}.`;
    await enqueue(tx, tellOps({ key: `${key}@${now.toISOString()}/over`, text }, now));
  }
}
