import { check } from './check.ts';
import { content } from './content.ts';
import { detection } from './detection.ts';
import { ingest } from './ingest.ts';
import { jobs } from './jobs.ts';
import type { Measurement } from './measurement.ts';
import { mitigation } from './mitigation.ts';
import { polling } from './polling.ts';
import { postmortem } from './postmortem.ts';
import { slack } from './slack.ts';

type Bench = () => Promise<Measurement[]>;

/** What each area measures; `detection` is all that the rules rest on, from the calls that come in to the polls. */
const AREAS: Record<string, readonly Bench[]> = {
  slack: [slack],
  jobs: [jobs],
  ingest: [ingest],
  detection: [detection, content, polling, ingest],
  content: [content],
  check: [check],
  polling: [polling],
  mitigation: [mitigation],
  postmortem: [postmortem],
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
  const chosen = Object.keys(AREAS).filter((area) => wanted.length === 0 || wanted.includes(area));
  const results: Measurement[] = [];
  for (const measure of new Set(chosen.flatMap((area) => AREAS[area] ?? [])))
    results.push(...(await measure()));
  if (isJson) console.log(JSON.stringify(results));
  else console.table(results);
  return 0;
}

process.exit(await main(process.argv.slice(2)));
