import { enqueue } from '../../db/jobs.ts';
import { tellOps } from '../effects.ts';
import type { Flow } from '../flow.ts';

/** What the configuration allows and will miss one day: in the log at every start, in the ops channel once. */
export async function tellWarnings(
  flow: Pick<Flow, 'db' | 'clock' | 'log'>,
  warnings: readonly string[],
): Promise<void> {
  for (const warning of warnings) {
    flow.log.warn({ warning }, 'the configuration misses something');
    const told = { key: `configuration:${warning}`, text: `The configuration misses something: ${warning}.` };
    await enqueue(flow.db, tellOps(told, flow.clock.now()));
  }
}
