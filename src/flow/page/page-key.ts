import { type Incident, nameOf } from '../../incident/incident.ts';
import type { Flow } from '../flow.ts';

/** Under which PagerDuty knows the page of an incident: no other installation or environment has the same. */
export function requestKeyOf(
  flow: Pick<Flow, 'installation'>,
  { id, environment }: Pick<Incident, 'id' | 'environment'>,
): string {
  return `llm-incident/${flow.installation}/${environment}/${nameOf(id)}`;
}
