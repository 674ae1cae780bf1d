import type { ServiceConfig } from '../config/config-file.ts';
import type { HealthProbeConfig } from '../config/sources.ts';
import { messageOf } from '../errors.ts';
import type { Answer, MetricSource, Question, Reading } from './metric-source.ts';
import { askSource } from './source-request.ts';

/** 15 seconds, less what a look that comes every 15 seconds may be early. */
const LEAST_DISTANCE_MS = 14_000;
const KEPT_MS = 2 * 3_600_000;

interface Probe {
  atMs: number;
  /** Null when it was healthy. */
  failure: string | null;
}

/**
 * Asks the services' own health addresses. Policy: `health` is the share of the probes within the window that failed;
 * 2xx is healthy; any other status, a redirect, a refused connection and a timeout are failures. Each read probes what
 * it is asked about, an address at most once in 15 seconds; outcomes live in memory for two hours, and after a start
 * there are few. Never throws ExternalError: an address that does not answer is what is measured.
 */
export function healthProbeSource(
  services: Readonly<Record<string, Pick<ServiceConfig, 'health'>>>,
  { name = 'health probes' }: { name?: string } = {},
): MetricSource {
  const histories = new Map<string, Probe[]>();
  const lastMs = new Map<string, number>();

  const probeOf = async ({ url, timeout_seconds }: HealthProbeConfig, now: Date): Promise<void> => {
    const atMs = now.getTime();
    if (atMs - (lastMs.get(url) ?? Number.NEGATIVE_INFINITY) < LEAST_DISTANCE_MS) return;
    lastMs.set(url, atMs);
    const failure = await failureOf(name, { url, timeoutMs: timeout_seconds * 1000 });
    const kept = (histories.get(url) ?? []).filter((probe) => probe.atMs > atMs - KEPT_MS);
    histories.set(url, [...kept, { atMs, failure }]);
  };

  return {
    name,
    async read(questions, now) {
      const asked = questions.map((question) => healthOf(question, services));
      const byUrl = new Map(asked.flatMap((health) => (health === undefined ? [] : [[health.url, health]])));
      await Promise.all([...byUrl.values()].map((health) => probeOf(health, now)));
      return questions.map((question, index): Answer => {
        const health = asked[index];
        if (health === undefined) return { kind: 'unsupported' };
        return { kind: 'reading', reading: readingOf(histories.get(health.url) ?? [], question) };
      });
    },
  };
}

function healthOf(
  { measure, service }: Question,
  services: Readonly<Record<string, Pick<ServiceConfig, 'health'>>>,
): HealthProbeConfig | undefined {
  return measure === 'health' ? services[service]?.health : undefined;
}

async function failureOf(source: string, asked: { url: string; timeoutMs: number }): Promise<string | null> {
  try {
    const { status } = await askSource({ source, ...asked });
    return status >= 200 && status <= 299 ? null : `answered ${status}`;
  } catch (thrown) {
    return messageOf(thrown);
  }
}

/** The probe of this very moment belongs to the window that ends now. */
function readingOf(history: readonly Probe[], question: Question): Reading {
  const { from, to, newest, excluding = [] } = question;
  const isLeftOut = ({ atMs }: Probe) =>
    excluding.some((gap) => atMs >= gap.from.getTime() && atMs < gap.to.getTime());
  const within = history
    .filter((probe) => probe.atMs > from.getTime() && probe.atMs <= to.getTime() && !isLeftOut(probe))
    .slice(-(newest ?? history.length));
  const failures = within.flatMap(({ failure }) => failure ?? []);
  const n = within.length;
  if (n === 0) return { n, value: null, sd: null };
  const value = failures.length / n;
  return {
    n,
    value,
    sd: n > 1 ? Math.sqrt((value * (1 - value) * n) / (n - 1)) : null,
    ...(failures.length === 0 ? {} : { about: failures.at(-1) as string }),
    ...(question.wantsOutcomes ? { outcomes: within.map(({ failure }) => (failure === null ? 0 : 1)) } : {}),
  };
}
