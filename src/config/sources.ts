import { z } from 'zod';

const seconds = (fallback: number) => z.number().positive().default(fallback);
const address = z.url({ protocol: /^https?$/, error: 'must be an http(s) address' });
const secret = z.string().min(1);

/** Prometheus, Mimir, Thanos, VictoriaMetrics: anything that answers `/api/v1/query`. */
const prometheus = z.strictObject({
  type: z.literal('prometheus'),
  url: address,
  token: secret.optional(),
  headers: z.record(z.string(), z.string()).default({}),
  profile: z
    .enum(['auto', 'otel', 'otel-next', 'openllmetry', 'litellm', 'vllm', 'llm-incident'])
    .default('auto'),
  /** How long after the fact samples are complete; rules look at so long ago. */
  delay_seconds: z.number().min(0).default(30),
  timeout_seconds: seconds(10),
});

const sql = z.strictObject({
  type: z.literal('sql'),
  url: secret,
  timeout_seconds: seconds(10),
});

const clickhouse = z.strictObject({
  type: z.literal('clickhouse'),
  url: address,
  user: z.string().min(1).default('default'),
  password: secret.optional(),
  timeout_seconds: seconds(10),
});

const langfuse = z.strictObject({
  type: z.literal('langfuse'),
  url: address,
  public_key: secret,
  secret_key: secret,
  /** The name of the score that counts as quality. */
  score: z.string().min(1).default('quality'),
  poll_minutes: z.number().positive().default(15),
  timeout_seconds: seconds(10),
});

export const metricSource = z.discriminatedUnion('type', [prometheus, sql, clickhouse, langfuse]);

export type MetricSourceConfig = z.infer<typeof metricSource>;
export type PrometheusConfig = z.infer<typeof prometheus>;
export type SqlConfig = z.infer<typeof sql>;
export type ClickhouseConfig = z.infer<typeof clickhouse>;
export type LangfuseConfig = z.infer<typeof langfuse>;

/** An address that answers 2xx while the feature is healthy. */
export const healthProbe = z.strictObject({ url: address, timeout_seconds: seconds(5) });
export type HealthProbeConfig = z.infer<typeof healthProbe>;

/** A Statuspage-shaped page of a model provider; `components` are ids, none means all of the page. */
export const providerStatus = z.strictObject({
  url: address,
  components: z.array(z.string().min(1)).default([]),
  poll_seconds: z.number().min(60).default(120),
});
export type ProviderStatusConfig = z.infer<typeof providerStatus>;

export const sourceShapes = {
  'sources.NAME.': {
    ...prometheus.shape,
    ...sql.shape,
    ...clickhouse.shape,
    ...langfuse.shape,
  },
  'services.NAME.health.': healthProbe.shape,
  'services.NAME.provider_status.': providerStatus.shape,
};
