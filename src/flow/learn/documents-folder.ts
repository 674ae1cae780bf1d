import { join } from 'node:path';
import { nameOf } from '../../incident/incident.ts';
import type { Flow } from '../flow.ts';

/** Where the documents of an incident are on disk. */
export function documentsOf(flow: Pick<Flow, 'documentsDir'>, incidentId: number): string {
  return join(flow.documentsDir, nameOf(incidentId));
}
