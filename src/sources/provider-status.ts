import { z } from 'zod';
import type { ServiceConfig } from '../config/config-file.ts';
import type { ProviderStatusConfig } from '../config/sources.ts';
import { messageOf } from '../errors.ts';
import type { Answer, MetricSource, Reading } from './metric-source.ts';
import { askSource, type SourceAnswer } from './source-request.ts';

const TIMEOUT_MS = 2_000;
const SUMMARY = '/api/v2/summary.json';
/** Polls of several replicas drift apart by up to this share of their distance. */
const JITTER = 0.1;

const summary = z.object({
  page: z.object({ name: z.string().optional() }).optional(),
  status: z.object({ indicator: z.string() }).optional(),
  components: z.array(z.object({ id: z.string(), name: z.string(), status: z.string() })).default([]),
});
type Summary = z.infer<typeof summary>;

const OF_COMPONENT: Readonly<Record<string, number>> = {
  operational: 0,
  degraded_performance: 0.5,
  under_maintenance: 0.5,
  partial_outage: 0.75,
  major_outage: 1,
};
const OF_PAGE: Readonly<Record<string, number>> = {
  none: 0,
  minor: 0.5,
  maintenance: 0.5,
  major: 0.75,
  critical: 1,
};

type Page = { kind: 'known'; summary: Summary } | { kind: 'unknown'; why: string };

/**
 * Status pages of model providers, in Statuspage's v2 shape. Policy: `provider` is the worst of the watched components,
 * or the page's indicator where none is named: 0 operational, .5 degraded or under maintenance, .75 partial outage, 1
 * major outage; whatever cannot be read is no data, which is neither "ok" nor an outage, and `about` says why. A page is
 * asked once in `poll_seconds`, for all services that watch it. Never throws ExternalError.
 */
export function providerStatusSource(
  services: Readonly<Record<string, Pick<ServiceConfig, 'provider_status'>>>,
  { name = 'provider status', random = Math.random }: { name?: string; random?: () => number } = {},
): MetricSource {
  const pollMs = shortestPolls(services);
  const pages = new Map<string, { nextMs: number; page: Promise<Page> }>();

  const pageAt = (address: string, now: Date): Promise<Page> => {
    const kept = pages.get(address);
    if (kept !== undefined && now.getTime() < kept.nextMs) return kept.page;
    const wait = (pollMs.get(address) ?? 0) * (1 + random() * JITTER);
    const page = askPage(name, address);
    pages.set(address, { nextMs: now.getTime() + wait, page });
    return page;
  };

  return {
    name,
    read: (questions, now) =>
      Promise.all(
        questions.map(async ({ measure, service }): Promise<Answer> => {
          const watched = services[service]?.provider_status;
          if (measure !== 'provider' || watched === undefined) return { kind: 'unsupported' };
          const page = await pageAt(addressOf(watched), now);
          return { kind: 'reading', reading: readingOf(page, watched) };
        }),
      ),
  };
}

/** How often each page is asked: as often as the most impatient of its services wants. */
function shortestPolls(
  services: Readonly<Record<string, Pick<ServiceConfig, 'provider_status'>>>,
): Map<string, number> {
  const shortest = new Map<string, number>();
  for (const { provider_status: watched } of Object.values(services)) {
    if (watched === undefined) continue;
    const address = addressOf(watched);
    const known = shortest.get(address) ?? Number.POSITIVE_INFINITY;
    shortest.set(address, Math.min(known, watched.poll_seconds * 1000));
  }
  return shortest;
}

/** The page's own address, or that of its summary. */
function addressOf({ url }: ProviderStatusConfig): string {
  const address = new URL(url);
  if (!address.pathname.endsWith('.json')) address.pathname = address.pathname.replace(/\/+$/, '') + SUMMARY;
  return address.toString();
}

async function askPage(source: string, address: string): Promise<Page> {
  const { host } = new URL(address);
  try {
    const headers = { accept: 'application/json' };
    return pageFrom(await askSource({ source, url: address, headers, timeoutMs: TIMEOUT_MS }), host);
  } catch (thrown) {
    return { kind: 'unknown', why: `${host}: ${messageOf(thrown)}` };
  }
}

/** Pages move with a redirect, and answer with a web page and status 200 where their summary was. */
function pageFrom(answer: SourceAnswer, host: string): Page {
  const { location } = answer.headers;
  if (typeof location === 'string')
    return { kind: 'unknown', why: `${host} has moved to ${location}: change the url` };
  if (answer.status !== 200) return { kind: 'unknown', why: `${host} answered ${answer.status}` };
  try {
    return { kind: 'known', summary: summary.parse(JSON.parse(answer.text)) };
  } catch {
    return { kind: 'unknown', why: `${host} answered something else than a status summary: check the url` };
  }
}

function readingOf(page: Page, { components }: ProviderStatusConfig): Reading {
  if (page.kind === 'unknown') return unknown(page.why);
  return components.length === 0 ? wholePage(page.summary) : watchedComponents(page.summary, components);
}

function wholePage({ page, status }: Summary): Reading {
  const value = status === undefined ? undefined : OF_PAGE[status.indicator];
  if (status === undefined || value === undefined) {
    return unknown(`the status page says "${status?.indicator ?? 'nothing'}" of itself`);
  }
  const whose = page?.name ?? 'the provider';
  return { n: 1, value, sd: null, ...(value === 0 ? {} : { about: `${whose}: ${status.indicator}` }) };
}

/** A component that fails is known to fail, whatever is not known of the others; "all well" needs all of them. */
function watchedComponents(summary: Summary, ids: readonly string[]): Reading {
  const found = ids.map((id) => summary.components.find((component) => component.id === id));
  const values = found.map((component) =>
    component === undefined ? undefined : OF_COMPONENT[component.status],
  );
  const worst = Math.max(0, ...values.filter((value) => value !== undefined));
  const unclear = ids.filter((_, index) => values[index] === undefined);
  if (worst === 0 && unclear.length > 0) {
    return unknown(
      `the status page does not tell how ${unclear.join(', ')} is: check the ids of the components`,
    );
  }
  const failing = found.filter((component, index) => component !== undefined && values[index] === worst);
  const about = failing.map((component) => `${component?.name}: ${component?.status.replaceAll('_', ' ')}`);
  return {
    n: ids.length - unclear.length,
    value: worst,
    sd: null,
    ...(worst === 0 ? {} : { about: about.join(', ') }),
  };
}

const unknown = (about: string): Reading => ({ n: 0, value: null, sd: null, about });
