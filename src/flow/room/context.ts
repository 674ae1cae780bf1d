import { evidenceOf } from '../../evidence/evidence-store.ts';
import type { Suspect } from '../../evidence/what-changed.ts';
import { findIncident } from '../../incident/incident-store.ts';
import type { Flow } from '../flow.ts';
import { failingExamples } from '../learn/failing-examples.ts';
import { describeComponent, nameOfComponent } from '../ledger/component-text.ts';
import { namedActor } from '../ledger/describe-serving.ts';
import type { ContextView } from '../ports.ts';
import { pastLikeThis } from './past-incidents.ts';

const SHOWN_SAMPLES = 3;
const SHOWN_CHANGES = 6;

/** What changed and three failing examples of answers, from the frozen evidence; null when there is nothing to tell. */
export async function loadContext(
  flow: Pick<Flow, 'db' | 'chat' | 'log'>,
  incidentId: number,
): Promise<ContextView | null> {
  const incident = await findIncident(flow.db, incidentId);
  const evidence = await evidenceOf(flow.db, incidentId);
  if (incident === undefined || evidence.changes === undefined) return null;
  const suspects = (evidence.changes.data['suspects'] ?? []) as Suspect[];
  const changes = await Promise.all(
    suspects.slice(0, SHOWN_CHANGES).map(async ({ component, from, to, at, actor }) => ({
      component: nameOfComponent(component),
      from: describeComponent(from),
      to: describeComponent(to),
      at: new Date(at),
      actor: actor === null ? null : await namedActor(flow, actor),
    })),
  );
  const withheld = incident.private ? 'Examples of a private incident are not shown in messages.' : null;
  // An example helps on a phone where the answer itself is what went wrong; errors and costs are in the numbers.
  const isShown = withheld === null && incident.category === 'quality';
  const samples = isShown ? await failingExamples(flow.db, incidentId, SHOWN_SAMPLES) : [];
  const past = await pastLikeThis(flow, incidentId);
  return { incidentId, changes, samples, samplesWithheld: withheld, past };
}
