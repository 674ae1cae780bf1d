import { TOKEN, type World } from './bot.ts';

/** One alert as Alertmanager writes it, about a service. */
export function firing(
  service: string,
  given: { name?: string; startsAt?: Date; labels?: Record<string, string>; summary?: string } = {},
) {
  const { name = 'HighErrorRate', startsAt = new Date(Date.now() - 60_000), labels = {}, summary } = given;
  return {
    status: 'firing',
    labels: { alertname: name, service, ...labels },
    annotations: summary === undefined ? {} : { summary },
    startsAt: startsAt.toISOString().replace('Z', '123456Z'),
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: 'http://prometheus.example.test/graph',
    fingerprint: Buffer.from(`${name}/${service}`).toString('hex').slice(0, 64),
  };
}

export type WireAlert = ReturnType<typeof firing>;

export function resolved(alert: WireAlert): WireAlert {
  return { ...alert, status: 'resolved', endsAt: new Date().toISOString() };
}

/** The body of Alertmanager's webhook, version 4. */
export function webhook(alerts: readonly unknown[], more: object = {}): object {
  return { version: '4', status: 'firing', receiver: 'llm-incident', truncatedAlerts: 0, alerts, ...more };
}

interface Answer {
  incidents: string[];
  rejected: string[];
  notes: string[];
  error: string;
}

/** Delivers it as Alertmanager does, and returns the answer. */
export async function deliver(
  world: Pick<World, 'url'>,
  body: unknown,
  token = TOKEN,
): Promise<{ status: number; body: Answer }> {
  const answer = await fetch(`${world.url}/alerts/alertmanager`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as Answer };
}
