import type { Db } from '../db/database.ts';
import { callAnswers } from './call-answers.ts';
import { factsIn, newestFacts } from './fact-store.ts';
import type { MetricSource } from './metric-source.ts';
import { rollupsIn, rollupVersions } from './rollup-store.ts';
import { safetyEventsIn } from './safety-event-store.ts';

/** The calls that were sent in, as a source. It reads what `digestCalls` counted, so that runs first. */
export function callsSource(db: Db): MetricSource {
  const read = callAnswers({
    rollups: (of) => rollupsIn(db, of),
    versions: (of) => rollupVersions(db, of),
    facts: ({ stretches, withWords, ...service }) =>
      factsIn(
        db,
        stretches.map((stretch) => ({ ...service, ...stretch })),
        { withWords },
      ),
    newest: (of) => newestFacts(db, of),
    safety: (window) => safetyEventsIn(db, window),
  });
  return { name: 'calls', read };
}
