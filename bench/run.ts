import { check } from './check.ts';
import { content } from './content.ts';
import { detection } from './detection.ts';
import { ingest } from './ingest.ts';
import { jobs } from './jobs.ts';
import type { Measurement } from './measurement.ts';
import { polling } from './polling.ts';
import { slack } from './slack.ts';

const AREAS: Record<string, () => Promise<Measurement[]>> = {
  slack,
  jobs,
  ingest,
  detection,
  content,
  check,
  polling,
};

/** `npm run bench [-- AREA] [-- --json]`: each benchmark beside its floor. */
async function main(args: readonly string[]): Promise<number> {
  const isJson = args.includes('--json');
  const wanted = args.filter((arg) => !arg.startsWith('--'));
  const unknown = wanted.filter((area) => !Object.hasOwn(AREAS, area));
  if (unknown.length > 0) {
    console.error(`No such area: ${unknown.join(', ')}. There are: ${Object.keys(AREAS).join(', ')}.`);
    return 2;
  }
  const results: Measurement[] = [];
  for (const [area, measure] of Object.entries(AREAS)) {
    if (wanted.length === 0 || wanted.includes(area)) results.push(...(await measure()));
  }
  if (isJson) console.log(JSON.stringify(results));
  else console.table(results);
  return 0;
}

process.exit(await main(process.argv.slice(2)));
