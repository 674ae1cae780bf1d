import type { LangfuseExportConfig } from '../../config/exports.ts';
import { askSource, refusedBy } from '../../sources/source-request.ts';
import type { EvalCase } from '../eval-case.ts';
import type { Exporter } from './exporter.ts';

const NAME = 'langfuse';
const TIMEOUT_MS = 20_000;

/**
 * One item of a Langfuse dataset a case. Policy: an item's id is made of the installation, the incident and the call, on
 * which Langfuse updates it, so that exporting again adds nothing.
 */
export function langfuseDataset(
  config: LangfuseExportConfig,
  { installation }: { installation: string },
): Exporter {
  const { dataset } = config;
  return {
    name: NAME,
    takes: (about) => !about.private && !about.drill,
    async export({ incident, service, cases }) {
      if (cases.length === 0) return { outcome: 'unchanged', text: 'no eval case for Langfuse', url: null };
      const description = 'Calls that failed in incidents, with what an answer must hold.';
      await post(config, '/api/public/v2/datasets', { name: dataset, description });
      for (const one of cases) {
        const id = `${installation}-${incident}-${one.callId}`;
        await post(config, '/api/public/dataset-items', {
          id,
          datasetName: dataset,
          ...itemOf(one, service),
        });
      }
      const items = cases.length === 1 ? '1 eval case' : `${cases.length} eval cases`;
      return { outcome: 'exported', text: `${items} in the Langfuse dataset ${dataset}`, url: config.url };
    },
  };
}

function itemOf(one: EvalCase, service: string | null) {
  const { incidentId, callId, promptName, description, proven, why, assertions, reference } = one;
  return {
    input: { input: one.input },
    ...(reference === undefined ? {} : { expectedOutput: reference }),
    metadata: {
      ...{ incident: incidentId, call: callId, service, description, proven, why, assertions },
      prompt: promptName ?? null,
    },
    status: 'ACTIVE',
  };
}

async function post(config: LangfuseExportConfig, path: string, body: object): Promise<void> {
  const url = new URL(config.url);
  url.pathname = url.pathname.replace(/\/+$/, '') + path;
  const basic = Buffer.from(`${config.public_key}:${config.secret_key}`).toString('base64');
  const answer = await askSource({
    ...{ source: NAME, url, method: 'POST', timeoutMs: TIMEOUT_MS },
    headers: { authorization: `Basic ${basic}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (answer.status < 200 || answer.status > 299) throw refusedBy(NAME, answer);
}
