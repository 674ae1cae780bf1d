import { createReadStream, existsSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { differenceInDays } from 'date-fns';
import { lineChartPng, lineChartSvg } from '../../chart/line-chart.ts';
import { type ConfigFile, parseConfigFile, readConfigFile } from '../../config/config-file.ts';
import { allRules } from '../../detection/rules.ts';
import { ruleProblems } from '../../detection/settings.ts';
import { InputError, messageOf } from '../../errors.ts';
import type { ServiceName } from '../../sources/call-statistics-store.ts';
import { formatProblems } from '../../sources/content/output-format.ts';
import type { MetricSource } from '../../sources/metric-source.ts';
import { pastSources } from '../../sources/past-sources.ts';
import { callCounter, parseRecordedCall, timeInUtc } from '../../sources/recorded-call.ts';
import { type CountedCall, recordedCalls } from '../../sources/recorded-calls.ts';
import { type BacktestResult, backtest } from './backtest.ts';
import { backtestJson, backtestPanels, backtestText, type Counted } from './backtest-report.ts';

const USAGE = `Usage: npm run backtest -- FILE.jsonl… [--json] [--strict] [--chart FILE.svg|FILE.png]
   or: npm run backtest -- --service NAME --from TIME --to TIME [the same options], over the service's own source`;

const SHOWN_MALFORMED = 20;
const BYTE_ORDER_MARK = /^\uFEFF/;
const LONGEST_DAYS = 400;

const options = {
  json: { type: 'boolean', default: false },
  strict: { type: 'boolean', default: false },
  chart: { type: 'string' },
  service: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
} as const;

type Options = ReturnType<typeof optionsOf>['values'];

interface Past {
  services: ServiceName[];
  from: Date;
  to: Date;
  source: MetricSource;
  counted: Counted;
  close?(): Promise<void>;
}

/**
 * `backtest FILE…` or `backtest --service NAME --from TIME --to TIME`. Returns the exit code: 0 when the rules ran, 1
 * with `--strict` when a line is malformed. Throws InputError for wrong arguments.
 */
export async function runBacktest(args: string[]): Promise<number> {
  const { values, positionals } = optionsOf(args);
  const config = configOf(process.env);
  const problems = [...ruleProblems(config, allRules), ...formatProblems(config.services)];
  if (problems.length > 0) throw new InputError(problems);
  const past =
    values.service === undefined ? await fromFiles(positionals, config) : fromSource(values, config);
  try {
    const { services, from, to, source, counted } = past;
    const result = await backtest({ config, services, from, to, sourceFor: () => source });
    await report(result, counted, values);
    return values.strict && counted.malformed > 0 ? 1 : 0;
  } finally {
    await past.close?.();
  }
}

function optionsOf(args: string[]) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (thrown) {
    throw new InputError([messageOf(thrown), USAGE]);
  }
}

function configOf(env: NodeJS.ProcessEnv): ConfigFile {
  const path = env['LLM_INCIDENT_CONFIG'] || 'llm-incident.yaml';
  return existsSync(path) ? readConfigFile(path, env) : parseConfigFile('', env);
}

async function fromFiles(files: readonly string[], config: ConfigFile): Promise<Past> {
  if (files.length === 0) throw new InputError(['name at least one file of recorded calls', USAGE]);
  const calls: CountedCall[] = [];
  const counters = new Map<string, ReturnType<typeof callCounter>>();
  let malformed = 0;
  for (const file of files) {
    if (!existsSync(file)) throw new InputError([`${file}: there is no such file`]);
    let number = 0;
    for await (const line of createInterface({
      input: createReadStream(file),
      crlfDelay: Number.POSITIVE_INFINITY,
    })) {
      number += 1;
      if (line.trim() === '') continue;
      const read = parseRecordedCall(line.replace(BYTE_ORDER_MARK, ''));
      if (read.kind === 'malformed') {
        malformed += 1;
        if (malformed <= SHOWN_MALFORMED) console.error(`${file}:${number}: ${read.problem}`);
        continue;
      }
      const { service } = read.call;
      const count = counters.get(service) ?? callCounter(config.services[service] ?? null, config);
      counters.set(service, count);
      calls.push(count(read.call));
    }
  }
  if (malformed > SHOWN_MALFORMED) console.error(`and ${malformed - SHOWN_MALFORMED} more malformed lines`);
  const counted = { calls: calls.length, malformed };
  const { from, to } = spanOf(calls);
  if (differenceInDays(to, from) > LONGEST_DAYS) {
    const span = `${from.toISOString()} to ${to.toISOString()}`;
    throw new InputError([
      `the calls span ${span}, more than ${LONGEST_DAYS} days; is one of these times wrong?`,
    ]);
  }
  return { ...spanOf(calls), services: servicesIn(calls), source: recordedCalls(calls), counted };
}

function spanOf(calls: readonly CountedCall[]): { from: Date; to: Date } {
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { at } of calls) {
    first = Math.min(first, at.getTime());
    last = Math.max(last, at.getTime());
  }
  return calls.length === 0
    ? { from: new Date(0), to: new Date(-1) }
    : { from: new Date(first), to: new Date(last) };
}

function servicesIn(calls: readonly CountedCall[]): ServiceName[] {
  const named = new Map(
    calls.map(({ service, environment }) => [`${environment}/${service}`, { service, environment }]),
  );
  return [...named.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, service]) => service);
}

/** The service's own source, asked about its past one minute after the other. */
function fromSource(values: Options, config: ConfigFile): Past {
  const { service = '', from, to } = values;
  const range = { from: timeOf('--from', from), to: timeOf('--to', to) };
  if (range.to <= range.from) throw new InputError(['--to: must be later than --from']);
  const past = pastSources(config, service);
  const services = [{ service, environment: config.environment }];
  return { ...range, services, source: past.source, counted: { calls: 0, malformed: 0 }, close: past.close };
}

function timeOf(name: string, text: string | undefined): Date {
  const at = timeInUtc(text ?? '');
  if (Number.isNaN(at.getTime()))
    throw new InputError([`${name}: must be a time such as 2026-03-01T12:00:00Z`]);
  return at;
}

/** Whoever looks at a backtest sits at a large screen. */
const ON_A_DESK = { widthPx: 720, heightPx: 120 };

async function report(result: BacktestResult, counted: Counted, { json, chart }: Options): Promise<void> {
  console.log(json ? backtestJson(result, counted) : backtestText(result, counted));
  if (chart === undefined) return;
  const title = 'What would have opened';
  const panels = backtestPanels(result);
  if (panels.length === 0) {
    console.error(`${chart}: not written, because nothing would have opened`);
    return;
  }
  const isPng = chart.toLowerCase().endsWith('.png');
  const drawn = isPng
    ? await lineChartPng(title, panels, ON_A_DESK)
    : await lineChartSvg(title, panels, ON_A_DESK);
  writeFileSync(chart, drawn);
}
