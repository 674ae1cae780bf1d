import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import type { GitHistory } from './github-git.ts';
import { startVendor, type VendorDouble, type VendorReply, type VendorRequest } from './vendor-double.ts';

export const GITHUB_TOKEN = 'ghp_secret1234';

export interface DoubleRun {
  id: number;
  display_title: string;
  status: string;
  conclusion: string | null;
  html_url: string;
}

export interface DoubleCommit {
  path: string;
  sha: string;
  author: { login: string } | null;
  commit: { message: string; author: { name: string }; committer: { date: string } };
}

export interface DoubleRepository {
  /** By path, on branch main. */
  files: Record<string, string>;
  /** Texts that were committed once, by blob id. */
  blobs: Record<string, string>;
  variables: Record<string, string>;
  runs: DoubleRun[];
  /** On branch main, newest first; `path` is the file that it changed. */
  commits?: DoubleCommit[];
  /** When a variable was last changed. */
  variablesChangedAt?: string;
  /** What a dispatched workflow does; none: the repository has no such workflow. */
  onDispatch?: (inputs: Record<string, string>, run: DoubleRun) => void;
  /** 204 without the id of the run, as an older GitHub answers. */
  withoutRunDetails?: boolean;
  /** Branches, pull requests and issues, for what asks of more than main. */
  git?: GitHistory;
}

const OPERATIONS = {
  put: ['/repos/{owner}/{repo}/contents/{path}', 'put'],
  variable: ['/repos/{owner}/{repo}/actions/variables/{name}', 'patch'],
  dispatch: ['/repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches', 'post'],
} as const;
export type GithubOperation = keyof typeof OPERATIONS;

/** The published schema of each request body, with nothing in it that is not listed there. */
export function githubValidators(): Record<GithubOperation, ValidateFunction> {
  const folder = dirname(createRequire(import.meta.url).resolve('@octokit/openapi/package.json'));
  const { paths } = JSON.parse(readFileSync(join(folder, 'generated/api.github.com.json'), 'utf8'));
  const ajv = new Ajv({ strict: false, validateFormats: false });
  const compiled = Object.entries(OPERATIONS).map(([key, [path, method]]) => {
    const schema = paths[path][method].requestBody.content['application/json'].schema;
    return [key, ajv.compile({ ...schema, additionalProperties: false })];
  });
  return Object.fromEntries(compiled) as Record<GithubOperation, ValidateFunction>;
}

/** What the published description lets one ask of the commits of a repository. */
function commitParameters(): Set<string> {
  const folder = dirname(createRequire(import.meta.url).resolve('@octokit/openapi/package.json'));
  const { paths, components } = JSON.parse(
    readFileSync(join(folder, 'generated/api.github.com.json'), 'utf8'),
  );
  const parameters: { name?: string; $ref?: string }[] =
    paths['/repos/{owner}/{repo}/commits'].get.parameters;
  const names = parameters.map(
    ({ name, $ref = '' }) => name ?? components.parameters[$ref.split('/').at(-1) ?? ''].name,
  );
  return new Set(names);
}

/** The id that git gives to a text. */
export function blobIdOf(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

const validators = githubValidators();
const COMMIT_PARAMETERS = commitParameters();

/** One repository, "acme/prompts": files by blob id, variables, a workflow and its runs. */
export async function startGithub(repository: DoubleRepository): Promise<VendorDouble> {
  return startVendor((request) => {
    if (request.headers.authorization !== `Bearer ${GITHUB_TOKEN}`)
      return { status: 401, body: { message: 'Bad credentials' } };
    const path = request.path.replace(/^\/repos\/acme\/prompts/, '');
    const ofGit = repository.git?.answer(path, request);
    if (ofGit !== undefined) return ofGit;
    if (path === '/commits') return commits(repository, request);
    const [, area = '', rest = ''] =
      /^\/(contents|actions\/variables|git\/blobs|actions)\/(.+)$/.exec(path) ?? [];
    const name = decodeURIComponent(rest);
    if (area === 'contents') return contents(repository, name, request);
    if (area === 'actions/variables') return variable(repository, name, request);
    if (area === 'git/blobs') return blob(repository, name);
    return area === 'actions' ? actions(repository, name, request) : notFound;
  });
}

function contents(
  repository: DoubleRepository,
  name: string,
  { method, query, body }: VendorRequest,
): VendorReply {
  const text = repository.files[name];
  if (method === 'GET') {
    if (text === undefined || query.get('ref') !== 'main') return notFound;
    const content = Buffer.from(text)
      .toString('base64')
      .replace(/(.{60})/g, '$1\n');
    return {
      status: 200,
      body: { type: 'file', encoding: 'base64', content, sha: blobIdOf(text), path: name },
    };
  }
  if (!validators.put(body)) return unprocessable(validators.put);
  const sent = body as { content: string; sha?: string; branch?: string };
  if (sent.branch !== 'main') return { status: 404, body: { message: 'Branch not found' } };
  if (text !== undefined && sent.sha !== blobIdOf(text))
    return { status: 409, body: { message: `${name} does not match ${sent.sha}` } };
  repository.files[name] = Buffer.from(sent.content, 'base64').toString('utf8');
  return { status: 200, body: { content: { path: name }, commit: { sha: 'f'.repeat(40) } } };
}

function commits({ commits: all = [] }: DoubleRepository, { query }: VendorRequest): VendorReply {
  const unknown = [...query.keys()].find((key) => !COMMIT_PARAMETERS.has(key));
  if (unknown !== undefined) return { status: 422, body: { message: `no parameter ${unknown}` } };
  const since = new Date(query.get('since') ?? 0);
  const found = query.get('sha') === 'main' ? all : [];
  const shown = found.filter(
    (one) => one.path === query.get('path') && new Date(one.commit.committer.date) >= since,
  );
  return { status: 200, body: shown.map(({ path: _, ...one }) => one) };
}

function variable(
  { variables, variablesChangedAt = '2026-01-05T10:00:00Z' }: DoubleRepository,
  name: string,
  { method, body }: VendorRequest,
): VendorReply {
  const value = variables[name];
  if (value === undefined) return notFound;
  const at = variablesChangedAt;
  if (method === 'GET') return { status: 200, body: { name, value, created_at: at, updated_at: at } };
  if (!validators.variable(body)) return unprocessable(validators.variable);
  variables[name] = (body as { value: string }).value;
  return { status: 204 };
}

function blob({ blobs }: DoubleRepository, sha: string): VendorReply {
  const text = blobs[sha];
  if (text === undefined) return notFound;
  return { status: 200, body: { encoding: 'base64', content: Buffer.from(text).toString('base64'), sha } };
}

function actions(repository: DoubleRepository, name: string, { method, body }: VendorRequest): VendorReply {
  const { runs, onDispatch } = repository;
  const id = /^runs\/(\d+)$/.exec(name)?.[1];
  const run = runs.find((one) => one.id === Number(id));
  if (run !== undefined) return { status: 200, body: run };
  if (name === 'workflows/switch.yml/runs')
    return { status: 200, body: { total_count: runs.length, workflow_runs: runs } };
  if (name !== 'workflows/switch.yml/dispatches' || method !== 'POST' || onDispatch === undefined)
    return notFound;
  if (!validators.dispatch(body)) return unprocessable(validators.dispatch);
  const { inputs } = body as { inputs: Record<string, string> };
  const made: DoubleRun = {
    id: 100 + runs.length,
    display_title: `llm-incident ${inputs['llm_incident_key']}`,
    status: 'queued',
    conclusion: null,
    html_url: 'https://github.com/acme/prompts/actions/runs/1',
  };
  runs.unshift(made);
  onDispatch(inputs, made);
  if (repository.withoutRunDetails === true) return { status: 204 };
  const url = `https://api.github.com/repos/acme/prompts/actions/runs/${made.id}`;
  return { status: 200, body: { workflow_run_id: made.id, run_url: url, html_url: made.html_url } };
}

const notFound: VendorReply = { status: 404, body: { message: 'Not Found' } };
const unprocessable = (validate: ValidateFunction): VendorReply => ({
  status: 422,
  body: { message: JSON.stringify(validate.errors) },
});
