import type { PrometheusConfig } from '../../config/sources.ts';
import { ExternalError } from '../../errors.ts';
import { backoffMs } from '../../retry.ts';
import type { Answer, MetricSource, Question } from '../metric-source.ts';
import { asker } from './asking.ts';
import { baselineReader } from './baseline-reader.ts';
import { customQuery } from './custom-query.ts';
import { type Discovered, discovery } from './discovery.ts';
import type { Moment, Planned } from './planned.ts';
import { selectorOf } from './promql.ts';
import type { Recipe } from './recipe.ts';
import { windowReader } from './window-reader.ts';
import { prometheusWire } from './wire.ts';

/** The first pause is some polls long: doubling from half a second would ask a hanging source at every one. */
const FIRST_PAUSE = 5;

/** A service whose metrics are in this source. */
export interface PrometheusService {
  name: string;
  environment: string;
  /** PromQL label matchers; `service_name="NAME"` where none is given. */
  selector?: string | undefined;
  /** By rule id: `VALUE` or `VALUE ;; COUNT`, with `$window` where the rule's window goes. */
  queries: Readonly<Record<string, string>>;
}

export interface PrometheusSource extends MetricSource {
  close(): Promise<void>;
}

/**
 * Prometheus, Mimir, Thanos or VictoriaMetrics. `read` throws ExternalError while the source is unreachable, at once
 * when it was so a moment ago. HTTP API: https://prometheus.io/docs/prometheus/latest/querying/api/
 */
export function prometheusSource(
  config: PrometheusConfig,
  services: readonly PrometheusService[],
  deps: { name: string; random?: () => number; batchSize?: number },
): PrometheusSource {
  const wire = prometheusWire(config);
  const expressions = asker(wire, { batchSize: deps.batchSize });
  const delayMs = config.delay_seconds * 1000;
  const readers = {
    find: discovery(wire, config.profile),
    windows: windowReader(expressions, delayMs),
    baselines: baselineReader(expressions, delayMs),
  };
  const pause = pauseAfterFailure(deps.random);

  return {
    name: deps.name,
    close: () => wire.close(),
    async read(questions, now) {
      if (questions.length === 0) return [];
      pause.check(now);
      try {
        const signal = AbortSignal.timeout(config.timeout_seconds * 1000);
        const moment = { now, signal, answered: 0 };
        const answers = await answersTo(questions, moment, { ...readers, services });
        pause.succeeded();
        return answers;
      } catch (thrown) {
        if (thrown instanceof ExternalError) pause.failed(thrown, now);
        throw thrown;
      }
    },
  };
}

interface Readers {
  find: ReturnType<typeof discovery>;
  windows: ReturnType<typeof windowReader>;
  baselines: ReturnType<typeof baselineReader>;
  services: readonly PrometheusService[];
}

/** Windows first, baselines after them: a slow week never starves what happens now. */
async function answersTo(
  questions: readonly Question[],
  moment: Moment,
  { find, windows, baselines, services }: Readers,
): Promise<Answer[]> {
  const plans = await plansFor(questions, moment, { find, services });
  const planned = [...plans.values()].filter((plan): plan is Planned => 'recipe' in plan);
  const now = await windows.read(
    planned.filter(({ question }) => !question.isBaseline),
    moment,
  );
  const before = await baselines.read(
    planned.filter(({ question }) => question.isBaseline),
    moment,
  );
  return questions.map((question) => {
    const plan = plans.get(question);
    const answer = plan !== undefined && 'kind' in plan ? plan : (now.get(question) ?? before.get(question));
    if (answer === undefined) throw new Error(`nothing answered ${question.measure} of ${question.service}`);
    return answer;
  });
}

async function plansFor(
  questions: readonly Question[],
  moment: Moment,
  { find, services }: Pick<Readers, 'find' | 'services'>,
): Promise<Map<Question, Planned | Answer>> {
  const known = new Map(services.map((service) => [keyOf(service.name, service.environment), service]));
  const asked = questions.map((question) => {
    const service = known.get(keyOf(question.service, question.environment));
    return {
      question,
      custom: service?.queries[question.rule],
      hasQueries: Object.keys(service?.queries ?? {}).length > 0,
      selector: selectorOf(service ?? { name: question.service }),
    };
  });
  const selectors = asked.filter(({ custom }) => custom === undefined).map(({ selector }) => selector);
  const discovered = await find.recipesOf(selectors, moment);
  return new Map(
    asked.map(({ question, custom, hasQueries, selector }) => {
      if (custom !== undefined) return [question, { question, recipe: customRecipe(custom, question) }];
      const plan = planOf(question, { discovered: discovered.get(selector), hasQueries });
      if ('kind' in plan && plan.kind === 'unsupported') find.missing(selector);
      return [question, plan];
    }),
  );
}

const keyOf = (service: string, environment: string) => JSON.stringify([service, environment]);

function customRecipe(text: string, { measure, needs, newest }: Question): Recipe {
  return customQuery(text, { measure, needs: needs ?? newest ?? 1 });
}

/** Policy: a team that wrote queries of its own need not have the metrics of a profile as well. */
function planOf(
  question: Question,
  { discovered, hasQueries }: { discovered: Discovered | undefined; hasQueries: boolean },
): Planned | Answer {
  if (discovered === undefined) return { kind: 'unsupported' };
  if ('problem' in discovered) {
    const { problem, isAbsent } = discovered;
    return isAbsent && hasQueries ? { kind: 'unsupported' } : { kind: 'problem', problem };
  }
  const recipe = discovered.recipes[question.measure];
  return recipe === undefined ? { kind: 'unsupported' } : { question, recipe };
}

/** A source that did not answer is left alone for a while: it costs one timeout, not one a rule or a poll. */
function pauseAfterFailure(random?: () => number) {
  let failures = 0;
  let last: { untilMs: number; error: ExternalError } | null = null;
  return {
    check(now: Date): void {
      if (last === null || now.getTime() >= last.untilMs) return;
      const { service, retryable, code, message } = last.error;
      const retryAfterMs = last.untilMs - now.getTime();
      throw new ExternalError(message, { service, retryable, code, retryAfterMs, cause: last.error });
    },
    failed(error: ExternalError, now: Date): void {
      failures += 1;
      const waitMs = Math.max(error.retryAfterMs ?? 0, backoffMs(failures + FIRST_PAUSE, random));
      last = { untilMs: now.getTime() + waitMs, error };
    },
    succeeded(): void {
      failures = 0;
      last = null;
    },
  };
}
