import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { startVendor, type VendorDouble, type VendorReply } from './vendor-double.ts';

export interface DoublePrompt {
  name: string;
  version: number;
  type: 'text' | 'chat';
  prompt: unknown;
  config: object;
  labels: string[];
  tags: string[];
  commitMessage?: string | null;
  createdAt?: string;
  /** Set when a label comes or goes, too. */
  updatedAt?: string;
  createdBy?: string;
}

export const LANGFUSE_KEYS = { public_key: 'pk-lf-1', secret_key: 'sk-lf-2' };

const contract = z.object({
  operations: z.array(
    z.object({
      method: z.string(),
      path: z.string(),
      parameters: z.array(z.object({ name: z.string() })).default([]),
      requestBody: z
        .object({ fields: z.array(z.object({ name: z.string(), required: z.boolean() })) })
        .optional(),
    }),
  ),
});

const FOLDER = join(
  dirname(createRequire(import.meta.url).resolve('langfuse-cli/package.json')),
  'dist/contracts',
);
const MOVE = { method: 'PATCH', path: '/api/public/v2/prompts/{name}/versions/{version}' };
const GET = { method: 'GET', path: '/api/public/v2/prompts/{promptName}' };

/** What the published contract of a version lets one send: the query of a read, the body of a label's move. */
export function promptContract(version: string): { query: string[]; body: string[]; required: string[] } {
  const { operations } = contract.parse(JSON.parse(readFileSync(join(FOLDER, `${version}.json`), 'utf8')));
  const find = (wanted: typeof GET) =>
    operations.find(({ method, path }) => method === wanted.method && path === wanted.path);
  const fields = find(MOVE)?.requestBody?.fields ?? [];
  return {
    query: (find(GET)?.parameters ?? []).map(({ name }) => name),
    body: fields.map(({ name }) => name),
    required: fields.filter(({ required }) => required).map(({ name }) => name),
  };
}

export function promptContractVersions(): string[] {
  const catalog = z.object({ versions: z.array(z.object({ version: z.string() })) });
  return catalog
    .parse(JSON.parse(readFileSync(join(FOLDER, 'catalog.json'), 'utf8')))
    .versions.map(({ version }) => version);
}

const body = z.strictObject({ newLabels: z.array(z.string()).min(1) });

/** Prompts and their labels, as Langfuse keeps them: a label is on one version, the others lose it. */
export async function startLangfusePrompts(prompts: DoublePrompt[]): Promise<VendorDouble> {
  const { public_key, secret_key } = LANGFUSE_KEYS;
  const basic = Buffer.from(`${public_key}:${secret_key}`).toString('base64');
  return startVendor(({ method, path, query, headers, body: sent }) => {
    if (headers.authorization !== `Basic ${basic}`) return { status: 401, body: { message: 'Invalid' } };
    const [, name = '', version] =
      /^\/api\/public\/v2\/prompts\/([^/]+)(?:\/versions\/(\d+))?$/.exec(path) ?? [];
    const all = prompts.filter((one) => one.name === decodeURIComponent(name));
    if (method === 'PATCH') return move(all, Number(version), sent);
    const label = query.get('label') ?? 'production';
    const asked = query.get('version');
    const found = all.find((one) =>
      asked === null ? one.labels.includes(label) : one.version === Number(asked),
    );
    return found === undefined ? notFound : { status: 200, body: found };
  });
}

function move(all: DoublePrompt[], version: number, sent: unknown): VendorReply {
  const parsed = body.safeParse(sent);
  if (!parsed.success || parsed.data.newLabels.includes('latest'))
    return { status: 400, body: { message: 'Invalid request data', error: [] } };
  const found = all.find((one) => one.version === version);
  if (found === undefined) return notFound;
  const { newLabels } = parsed.data;
  for (const one of all) one.labels = one.labels.filter((label) => !newLabels.includes(label));
  found.labels = [...found.labels, ...newLabels];
  return { status: 200, body: found };
}

const notFound: VendorReply = {
  status: 404,
  body: { message: 'Prompt not found', error: 'LangfuseNotFoundError' },
};
