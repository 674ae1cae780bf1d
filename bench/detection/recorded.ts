import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The text of a recorded file; null, said aloud, where it is absent. */
export function recorded(file: string): string | null {
  const folder = process.env['LLM_INCIDENT_DATA_DIR'];
  const path = folder === undefined ? null : join(folder, file);
  if (path !== null && existsSync(path)) return readFileSync(path, 'utf8');
  console.error(`skipped: ${file} is not in the folder that LLM_INCIDENT_DATA_DIR names`);
  return null;
}
